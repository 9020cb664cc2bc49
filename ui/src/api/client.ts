// Every request of the pages goes through here: same origin, JSON, the session's CSRF token on what changes
// something, and failures as ApiError with the server's own words.

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly requestId: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

let csrf = "";
export function useCsrf(token: string): void {
  csrf = token;
}

async function failure(response: Response): Promise<ApiError> {
  let body: Record<string, unknown> = {};
  try {
    body = await response.json();
  } catch {
    // Not JSON: a proxy in between wrote it.
  }
  const nested = typeof body.error === "object" && body.error !== null ? (body.error as Record<string, unknown>) : null;
  const message =
    (nested ? nested.message : body.error) ?? response.headers.get("X-Error-Message") ?? `The server answered ${response.status}`;
  return new ApiError(String(message), response.status, String(body.code ?? ""), response.headers.get("X-Request-Id") ?? "", body);
}

async function send(method: string, path: string, body?: unknown, extra: Record<string, string> = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...extra };
  if (csrf && method !== "GET") headers["X-Holdfast-CSRF"] = csrf;
  if (body !== undefined && !headers["Content-Type"]) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
      credentials: "same-origin",
      cache: "no-store",
    });
  } catch {
    throw new ApiError("The server cannot be reached. It may be restarting: try again in a moment.", 0, "unreachable", "");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function parsed<T>(response: Response): Promise<T> {
  const text = await response.text();
  return (text ? JSON.parse(text) : null) as T;
}

export const get = async <T>(path: string): Promise<T> => parsed<T>(await send("GET", path));
export const post = async <T>(path: string, body: unknown = {}): Promise<T> => parsed<T>(await send("POST", path, body));
export const put = async <T>(path: string, body: unknown = {}): Promise<T> => parsed<T>(await send("PUT", path, body));
export const remove = async <T>(path: string, body?: unknown): Promise<T> => parsed<T>(await send("DELETE", path, body));
export const postLines = async <T>(path: string, lines: unknown[]): Promise<T> =>
  parsed<T>(await send("POST", path, lines.map((line) => JSON.stringify(line)).join("\n"), { "Content-Type": "application/x-ndjson" }));

export interface Page<T> {
  items: T[];
  next: string | null; // Path of the next page, from the Link header.
}
export async function getPage<T>(path: string): Promise<Page<T>> {
  const response = await send("GET", path);
  const link = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("Link") ?? "");
  const next = link ? new URL(link[1], location.href) : null;
  return { items: await parsed<T[]>(response), next: next ? next.pathname + next.search : null };
}

export async function getText(path: string): Promise<string> {
  return (await send("GET", path, undefined, { Accept: "*/*" })).text();
}
export const putText = async <T>(path: string, text: string, type: string): Promise<T> =>
  parsed<T>(await send("PUT", path, text, { "Content-Type": type }));
