import { get, post, remove, useCsrf } from "../api/client";

export interface Person {
  name: string;
  fullname: string;
}
interface SessionAnswer {
  user: (Person & { admin: boolean; has_password: boolean }) | null;
  people?: Person[];
  organizations?: { name: string; role: string }[];
  csrf?: string;
}

// Who is signed in. `known` is false until the server said so once.
export const session = $state<{
  known: boolean;
  user: SessionAnswer["user"];
  people: Person[];
  organizations: { name: string; role: string }[];
}>({ known: false, user: null, people: [], organizations: [] });

function adopt(answer: SessionAnswer): void {
  useCsrf(answer.csrf ?? "");
  session.user = answer.user;
  session.people = answer.people ?? [];
  session.organizations = answer.organizations ?? [];
  session.known = true;
}

export async function loadSession(): Promise<void> {
  adopt(await get<SessionAnswer>("/api/session"));
}
export async function signIn(name: string, password: string): Promise<void> {
  adopt(await post<SessionAnswer>("/api/session", { name, password }));
}
export async function signInByLink(link: string): Promise<void> {
  adopt(await post<SessionAnswer>("/api/session/link", { link }));
}
export async function switchTo(name: string): Promise<void> {
  adopt(await post<SessionAnswer>("/api/session/switch", { name }));
}
export async function signOut(): Promise<void> {
  adopt(await remove<SessionAnswer>("/api/session"));
}
