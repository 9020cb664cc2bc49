// What the server promises of its endpoints and sees of their inputs (docs/registry-api.md, docs/metrics.md).
import { ApiError, get } from "../api/client";

export interface Indicator {
  objective: number;
  budget_left: number;
  windows: Record<string, { valid: number; bad: number; burn_rate: number }>;
  alarms: { gate: boolean; ticket: boolean; page: boolean };
}
export interface Slo {
  record: string;
  endpoint: string;
  period: string;
  latency_ms: number;
  availability: Indicator | null;
  latency: Indicator | null;
}
export interface Drift {
  record: string;
  phase: "vocabulary" | "reference" | "filling" | "watching";
  reference_rows: number;
  window_rows: number;
  features: { feature: string; psi: number; band: "calm" | "warn" | "act" }[];
  unseen_words: number;
  confidence_shift: number;
  shadow: { release: number; earlier: number; compared: number; disagreed: number; disagreement: number } | null;
}

export interface ErrorCell {
  hour: string;
  script: string;
  letters: string;
  requests: number;
  errors: Record<string, number>;
}
export interface MeaningCell {
  hour: string;
  cluster: number;
  requests: number;
  errors: Record<string, number>;
}
export interface ErrorMapOf {
  record: string;
  hours: number;
  cells: ErrorCell[];
  meanings: MeaningCell[] | null;
}

const missing = (error: unknown): null => {
  if (error instanceof ApiError && error.status === 404) return null;
  throw error;
};
export const loadSlos = async (): Promise<Slo[]> => (await get<{ slos: Slo[] }>("/api/slo").catch(missing))?.slos ?? [];
// Null where nothing is observed.
export const loadDrift = (record: string): Promise<Drift | null> => get<Drift>(`/api/drift/${record}`).catch(missing);
export const loadErrorMap = (record: string): Promise<ErrorMapOf | null> => get<ErrorMapOf>(`/api/slo/${record}/errors`).catch(missing);
