// The supply chain over HTTP (docs/mirroring.md, docs/checks.md): what came in from where, what is stopped, who holds what.
import type { Finding } from "../api/checks";
import { get, post, put, remove } from "../api/client";
import { apiOf, encodeRevision, pageOf, type RepoPlace } from "../api/repository";
import type { RepoType } from "../api/types";

// A revision of an upstream's repository, on its way or here.
export interface Arrival {
  id: number;
  upstream: string;
  remote: string;
  type: RepoType;
  repository: string;
  revision: string;
  remoteCommit: string;
  state: "fetching" | "done" | "quarantined" | "failed";
  detail: string;
  commit: string; // Here, once done.
  digest: string;
  license: string;
  bytes: number;
  bytesHere: number;
  started: string;
  ended: string | null;
}
export interface Upstream {
  name: string;
  url: string;
  secret: string; // The name of its token; the value is shown to nobody.
  namespaces: string;
  allow: string;
  deny: string;
  visibility: "public" | "private";
  follow: boolean;
  everySeconds: number;
  bytesMax: number;
  by: string;
  updated: string;
}
export interface Held {
  repository: string;
  type: RepoType;
  commit: string;
  since: string;
  reasons: string[];
  files: { path: string; findings: Finding[] }[];
  mayMend: boolean;
  mayRelease: boolean;
  released: { state: "proposed" | "released"; by: string; reason: string; at: string } | null;
}
export interface AuditEntry {
  number: number;
  at: string;
  actor: string;
  action: string;
  subject: string;
  details: Record<string, string>;
  hash: string;
}
export interface Relative {
  repository: string;
  type: RepoType;
  created: string;
  sameFiles: number;
  sharedTensors: number;
  sharedBytes: number;
  share: number; // Of the bytes that were asked about.
  declared: boolean;
  older?: boolean;
  paths: string[];
}
export interface BlastRadius {
  repositories: Relative[];
  releases: { record: string; number: number; state: string; model: string; revision: string }[];
  endpoints: { id: string; record: string; model: string; revision: string }[];
}
export interface Withdrawn {
  sha256: string;
  reason: string;
  by: string;
  at: string;
  holders: Relative[];
}
export interface Origin {
  known: boolean;
  risk?: string;
  revisions: Arrival[];
}
export interface CardChange {
  part: "metadata" | "section";
  name: string;
  change: "added" | "removed" | "changed";
  before: string;
  after: string;
}

// What the hub holds and for what it is used; and what lies on a machine, as the hub judges it.
export interface InventoryItem {
  repository: string;
  type: "model" | "dataset";
  owner: string;
  visibility: "public" | "private";
  revision: string;
  licence: string | string[] | null;
  usedBy: string[];
  validated: { at: string; release: string } | null;
}
export interface Host {
  host: string;
  reportedBy: string;
  reportedAt: string;
  models: number;
}
export interface FoundModel {
  state: "managed" | "altered" | "unmanaged";
  type: "model" | "dataset";
  folder: string;
  source: "cache" | "lock" | "folder";
  claims: string;
  repository: string;
  filesKnown: number;
  files: number;
  bytes: number;
}

export const placeOfName = (type: RepoType, name: string): RepoPlace => {
  const [ns = "", rest = ""] = name.split("/");
  return { type, ns, name: rest };
};
export const pageOfName = (type: RepoType, name: string): string => pageOf(placeOfName(type, name));
export const subjectOf = (type: RepoType, name: string): string => `${type}:${name}`;
export const logOf = (subject: string): string => `/registry/supply/log?subject=${encodeURIComponent(subject)}`;

export const loadArrivals = async (state = ""): Promise<Arrival[]> => (await get<{ revisions: Arrival[] }>(`/api/mirror/revisions${state ? `?state=${state}` : ""}`)).revisions;
export const startImport = (place: { repository: string; type: string; revision: string }): Promise<Arrival> => post("/api/mirror/revisions", place);
export const releaseArrival = (id: number, reason: string): Promise<Arrival> => post(`/api/mirror/revisions/${id}/release`, { reason });
// One person lets it go on, or proposes it where two are asked for.
export const releaseHeld = (one: Held, reason: string): Promise<{ state: "proposed" | "released" }> => post(`/api/${one.type}s/${one.repository}/held/${one.commit}/release`, { reason });
export async function loadInventory(type: string, cursor: string): Promise<{ items: InventoryItem[]; next: string | null }> {
  const page = await get<{ items: InventoryItem[]; next?: string }>(`/api/inventory?${new URLSearchParams({ type, ...(cursor ? { cursor } : {}) })}`);
  return { items: page.items, next: page.next ?? null };
}
export const loadHosts = async (): Promise<Host[]> => (await get<{ hosts: Host[] }>("/api/inventory/hosts")).hosts;
export const loadHost = async (host: string): Promise<FoundModel[]> => (await get<{ models: FoundModel[] }>(`/api/inventory/hosts/${encodeURIComponent(host)}`)).models;
export const forgetHost = (host: string): Promise<unknown> => remove(`/api/inventory/hosts/${encodeURIComponent(host)}`);
export const discardArrival = (id: number): Promise<unknown> => remove(`/api/mirror/revisions/${id}`);
export const loadUpstreams = async (): Promise<Upstream[]> => (await get<{ upstreams: Upstream[] }>("/api/upstreams")).upstreams;
export const putUpstream = (name: string, fields: Record<string, unknown>): Promise<Upstream> => put(`/api/upstreams/${encodeURIComponent(name)}`, fields);
export const removeUpstream = (name: string): Promise<unknown> => remove(`/api/upstreams/${encodeURIComponent(name)}`);
export const lookUpstream = (repository: string, type: RepoType): Promise<{ changed: boolean; what: string }> => post("/api/mirror/sync", { repository, type });
export const loadHeld = (): Promise<{ held: Held[]; unseen: number }> => get("/api/held");
export async function loadAudit(question: { subject?: string; action?: string; before?: number; limit?: number }): Promise<AuditEntry[]> {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(question)) if (value) query.set(key, String(value));
  return (await get<{ entries: AuditEntry[] }>(`/api/audit?${query}`)).entries;
}
export const loadOrigin = (place: RepoPlace): Promise<Origin> => get(`${apiOf(place)}/provenance`);
export const loadRelatives = async (place: RepoPlace): Promise<Relative[]> => (await get<{ relatives: Relative[] }>(`${apiOf(place)}/relatives`)).relatives;
export const loadRadius = (question: { sha256: string } | { repository: string; type: string }): Promise<BlastRadius> => get(`/api/blast-radius?${new URLSearchParams(question)}`);
export const loadWithdrawn = async (): Promise<Withdrawn[]> => (await get<{ withdrawn: Withdrawn[] }>("/api/withdrawn")).withdrawn;
export const withdraw = (sha256: string, reason: string): Promise<unknown> => post("/api/withdrawn", { sha256, reason });
export const loadCardChanges = (place: RepoPlace, from: string, to: string): Promise<{ from: string; to: string; changes: CardChange[] }> =>
  get(`${apiOf(place)}/card-diff?from=${encodeRevision(from)}&to=${encodeRevision(to)}`);

// "weights/a.pkl, opcode at 2: looks up os.system [pickle.global]" in its parts; the whole as reason where it is none of those.
export function partsOf(text: string): { path: string; place: string; reason: string; rule: string } {
  const match = /^(.+?)((?: \([^)]*\))?(?:, (?:line|opcode at|byte) \d+)*): (.*?)(?: \[([\w.-]+)\])?$/s.exec(text);
  if (!match) return { path: "", place: "", reason: text, rule: "" };
  return { path: match[1], place: match[2].replace(/^[ ,]+/, ""), reason: match[3], rule: match[4] ?? "" };
}
