// Webhooks over HTTP (docs/mirroring.md).
import { get, post, remove } from "../api/client";

export interface Webhook {
  id: string;
  url: string;
  watched: { type: string; name: string }[];
  domains: string[];
  disabled: boolean;
  secret: string | null; // Its owner's own; pages show it when it is made, and never again.
}
export interface Delivery {
  id: number;
  event: string;
  state: "pending" | "delivered" | "failed";
  attempts: number;
  status: number; // Of the last answer; 0: none came.
  answer: string;
  body: string;
  created: string;
  next: string | null;
  ended: string | null;
}
const root = "/api/settings/webhooks";
const pathOf = (id: string): string => `${root}/${encodeURIComponent(id)}`;

export const loadWebhooks = (): Promise<Webhook[]> => get(root);
export const makeWebhook = async (wish: { url: string; watched: Webhook["watched"]; domains: string[]; secret?: string }): Promise<Webhook> => (await post<{ webhook: Webhook }>(root, wish)).webhook;
export const turnWebhook = (id: string, to: "enable" | "disable"): Promise<unknown> => post(`${pathOf(id)}/${to}`);
export const removeWebhook = (id: string): Promise<unknown> => remove(pathOf(id));
export const loadDeliveries = async (id: string): Promise<Delivery[]> => (await get<{ deliveries: Delivery[] }>(`${pathOf(id)}/deliveries`)).deliveries;
export const sendAgain = (id: string, delivery: number): Promise<unknown> => post(`${pathOf(id)}/deliveries/${delivery}/replay`);

// What happened, in the words of the Hub's payload.
export function eventOf(delivery: Delivery): { what: string; about: string } {
  try {
    const body = JSON.parse(delivery.body) as { event?: { action?: string; scope?: string }; repo?: { name?: string } };
    return { what: [body.event?.scope, body.event?.action].filter(Boolean).join(" "), about: body.repo?.name ?? "" };
  } catch {
    return { what: delivery.event, about: "" };
  }
}
export function newSecret(): string {
  return [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
