// What stands around an endpoint (docs/serving.md): quotas, fallbacks, replicas, kept answers, receipts; and batches.
import { ApiError, get, getText, post, put } from "../api/client";
import { parse, total } from "../figures/prometheus";

export interface QuotaLimit {
  limit: number;
  used: number;
  remaining: number;
  resets_in_ms: number;
}
export type Measure = "requests_minute" | "requests_day" | "tokens_minute" | "tokens_day" | "money_day";
export interface Quota {
  subject: string;
  limits: Partial<Record<Measure, QuotaLimit>>;
}
export interface FallbackStep {
  model?: string;
  endpoint?: string;
  answer?: unknown;
}
export interface Fallback {
  endpoint: string;
  timeout_ms: number;
  steps: FallbackStep[];
  breaker: "closed" | "open" | "half_open";
}
export interface Batch {
  id: string;
  endpoint: string;
  status: "validating" | "in_progress" | "finalizing" | "cancelling" | "completed" | "failed" | "expired" | "cancelled";
  errors: { data: { message?: string; line?: number }[] } | null;
  input_file_id: string;
  output_file_id: string | null;
  error_file_id: string | null;
  created_at: number; // Seconds since 1970, as all times of it.
  in_progress_at: number | null;
  completed_at: number | null;
  failed_at: number | null;
  cancelled_at: number | null;
  expires_at: number | null;
  request_counts: { total: number; completed: number; failed: number };
  metadata: Record<string, string> | null;
}

// Null: not for this person, or not on this server.
const orNull = (error: unknown): null => {
  if (error instanceof ApiError && [403, 404, 501].includes(error.status)) return null;
  throw error;
};
const pathOf = (id: string): string => id.split("/").map(encodeURIComponent).join("/");

export const loadQuota = (subject: string): Promise<Quota | null> => {
  const [kind, name] = subject.split(":");
  return get<Quota>(`/api/quotas/${kind}/${pathOf(name ?? "")}`).catch(orNull);
};
export const setQuota = (endpoint: string, limits: Partial<Record<Measure, number | null>>): Promise<Quota> => put(`/api/quotas/endpoint/${pathOf(endpoint)}`, limits);
export const loadFallback = (endpoint: string): Promise<Fallback | null> => get<Fallback>(`/api/endpoints/${pathOf(endpoint)}/fallback`).catch(orNull);
export const setFallback = (endpoint: string, chain: unknown): Promise<Fallback> => put(`/api/endpoints/${pathOf(endpoint)}/fallback`, chain);
// How many of its replicas are ready, and how many shall be.
export const loadReplicas = async (endpoint: string): Promise<{ ready: number; target: number } | null> => {
  const found = await get<{ status: { readyReplica: number; targetReplica: number } }>(`/api/inference-endpoints/v2/endpoint/${pathOf(endpoint)}`).catch(orNull);
  return found && { ready: found.status.readyReplica, target: found.status.targetReplica };
};
export const act = (endpoint: string, verb: "pause" | "resume" | "scale-to-zero"): Promise<unknown> => post(`/api/endpoints/${pathOf(endpoint)}/${verb}`);
export const loadReceiptKey = async (): Promise<string | null> => (await get<{ key: string }>("/api/receipts/key").catch(orNull))?.key ?? null;
// Of all models of this server since it began: the metrics do not part them.
export async function loadCache(): Promise<{ hits: number; misses: number; bytes: number }> {
  const samples = parse(await getText("/metrics"));
  const found = (what: string) => total(samples, "holdfast_serve_cache_lookups_total", (labels) => labels.found === what);
  return { hits: found("hit"), misses: found("miss"), bytes: total(samples, "holdfast_serve_cache_bytes") };
}
export const loadBatches = async (after = ""): Promise<{ data: Batch[]; has_more: boolean }> => get(`/v1/batches?limit=20${after ? `&after=${encodeURIComponent(after)}` : ""}`);
export const cancelBatch = (id: string): Promise<Batch> => post(`/v1/batches/${encodeURIComponent(id)}/cancel`);
