// The registry over HTTP (docs/registry-api.md): shapes and requests of the governance pages.
import { get, post, put } from "../api/client";
import type { AskField } from "../parts/Ask.svelte";

export interface Supply {
  action: "edit_record" | "run_evaluation" | "run_golden" | "add_evidence" | "set_criteria" | "approve" | "grant_role" | "push_card" | "unfreeze" | "wait";
  field?: string;
  kind?: string;
  role?: string;
  command?: string;
}
export interface Missing {
  gate: string;
  fact: string;
  needs: string;
  supply: Supply;
}
export interface Gate {
  gate: string;
  state: "passed" | "waiting" | "refused";
  reason: string;
  missing: Missing[];
}
export interface Decision {
  number: number;
  at: string;
  actor: string;
  action: string;
  subject: string;
  release?: number | null;
  details: Record<string, unknown>;
}
export interface ReleaseException {
  id: number;
  record: string;
  release: number;
  state: "proposed" | "live" | "expired" | "ended";
  reason: string;
  proposed_by: string;
  confirmed_by: string | null;
  at: string;
  expires: string;
}
export interface ReleaseShort {
  record: string;
  number: number;
  state: string;
  model: string;
  revision: string;
  digest: string;
  author: string;
  at: string;
  since: string; // In this state.
  percent: number;
  exception: boolean;
}
export interface Figures {
  release: number;
  requests: number;
  errors: number;
  labels: number;
  correct: number;
  accuracy: number | null;
  mean_confidence: number | null;
  p95_ms: number | null;
}
export interface Watch {
  stable: Figures | null;
  canary: Figures | null;
  test: { name: string; statistic: number; threshold: number; decided: "running" | "worse" | "fine"; false_alarms_max: number } | null;
  proxies: { confidence_shift: number | null; disagreement: number | null } | null;
}
export interface EvidenceShort {
  id: number;
  kind: string;
  digest: string;
  at: string;
  by: string;
  note: string | null;
}
export interface Interval {
  value: number;
  low?: number;
  high?: number;
}
export interface Evidence extends EvidenceShort {
  rows: number;
  rows_digest: string;
  body: Record<string, unknown>;
}
// A run that the server makes by itself.
export interface EvaluationJob {
  id: number;
  release: number;
  state: "waiting" | "running" | "done" | "failed" | "cancelled";
  dataset: string;
  dataset_revision: string;
  split: string;
  by: string;
  at: string;
  rows_done: number;
  rows_total: number; // 0: not counted yet.
  rows_per_second: number | null;
  seconds_left: number | null;
  evidence: number | null;
  why: string | null;
}
export interface Approval {
  user: string;
  role: string;
  reason: string;
  at: string;
  new: boolean;
}
export interface ServedFigures {
  record: string;
  release: number;
  requests: number;
  errors: number;
  labels: number;
  accuracy: number | null;
  p95_ms: number;
}
export interface Release extends ReleaseShort {
  parts: Record<string, unknown>;
  gates: Gate[];
  missing: Missing[];
  next: "validate" | "approve" | "canary" | "deploy" | null;
  approvals: Approval[];
  roles_needed: string[];
  evidence: EvidenceShort[];
  exceptions: ReleaseException[];
  watch: Watch | null;
  timeline: Decision[];
}
export interface RecordInfo {
  id: string;
  use: string;
  owner: string;
  oncall: string[];
  tier: string;
  environment: string;
  model: string;
  task: string;
  features: string[];
  data_class: string;
  purpose: string;
  prompt: string;
  preprocessing: string;
  evaluation: { dataset: string; split: string } | null;
  monitoring: Record<string, number> | null;
  rollback: string;
  digest: string;
  changed: string;
  changed_by: string;
  missing: Missing[];
  frozen: { reason: string; by: string; at: string } | null;
  live: { stable: number | null; canary: number | null; percent: number };
  releases: ReleaseShort[];
  exceptions: ReleaseException[];
  open_incidents: number[];
}
export interface Incident {
  id: number;
  record: string;
  state: "open" | "closed";
  kind?: "licence-audit"; // None: a canary that was taken back.
  release?: number; // Of an audit.
  cause: string;
  opened: string;
  closed: string | null;
  versions: { stable: number | null; canary: number | null; restored: number | null };
  percent?: number; // Share of the canary; incidents of older servers do not say it.
  detected_after_ms: number | null;
  restored_after_ms: number | null;
  samples: { request: string; item: number; input: unknown; label: string; truth: string | null }[];
  timeline: { at: string; what: string }[];
  figures: Watch | null;
}
export interface LoggedRequest {
  id: string;
  at: string;
  record: string;
  release: number;
  deployment: string;
  model: string;
  revision: string;
  feature: string;
  user: string;
  status: number;
  ms: number;
  predictions: { item: number; label: string; score: number; truth: string | null; correct: boolean | null }[];
  input?: unknown;
  output?: unknown;
}
export interface TraceSpan {
  name: string;
  id: string;
  parent: string | null;
  kind: string;
  error: boolean;
  start_ms: number; // Since the whole began.
  duration_ms: number;
  attributes: Record<string, string | number | boolean>;
}
export interface Trace {
  request: string;
  trace: string;
  at: string;
  user: string;
  model: string;
  deployment: string;
  record: string | null;
  release: number | null;
  status: number;
  duration_ms: number;
  spans: TraceSpan[]; // The request's own first, then its stages in their order.
}
export interface Replay {
  identical: boolean;
  original: { sha256: string; body: string };
  replayed: { sha256: string; body: string };
  revision: string;
  tokenizer: string;
}
export interface ReviewItem {
  id: number;
  request: string;
  item: number;
  release: number;
  input: unknown;
  label: string;
  score: number;
  why: string;
  truth: string | null;
  state: string;
  by: string | null;
  at: string;
}
export interface WhatisRecord {
  record: string;
  deployed: { release: number; model: string; revision: string; deployment: string; since: string } | null;
  canary: { release: number; model: string; revision: string } | null;
  prompt: { name: string; digest: string } | string | null;
  preprocessing: string;
  approved_by: { evidence: number; kind: string; digest: string; accuracy?: number | null }[];
  approvals: { user: string; role: string }[];
  rollback: { release: number; revision: string } | null;
  owner: string;
  oncall: string[];
  frozen: unknown;
  exceptions: unknown[];
  open_incidents: number[];
}

export interface RecordName {
  ns: string;
  name: string;
}
export const recordPath = (record: RecordName): string => `/api/registry/records/${encodeURIComponent(record.ns)}/${encodeURIComponent(record.name)}`;
export const releasePath = (record: RecordName, number: number): string => `${recordPath(record)}/releases/${number}`;
export const pageOfRecord = (id: string): string => `/registry/${id}`;

export const loadRecords = async (): Promise<RecordInfo[]> => (await get<{ records: RecordInfo[] }>("/api/registry/records")).records;
export const loadRecord = (record: RecordName): Promise<RecordInfo> => get(recordPath(record));
export const loadRelease = (record: RecordName, number: number): Promise<Release> => get(releasePath(record, number));
export const loadEvidence = (id: number): Promise<Evidence> => get(`/api/registry/evidence/${id}`);
export const loadEvaluations = async (record: RecordName, number: number): Promise<EvaluationJob[]> =>
  (await get<{ evaluations: EvaluationJob[] }>(`${releasePath(record, number)}/evaluations`)).evaluations;
export const startEvaluation = (record: RecordName, number: number): Promise<EvaluationJob> => post(`${releasePath(record, number)}/evaluations`, {});
export const cancelEvaluation = (id: number): Promise<EvaluationJob> => post(`/api/registry/evaluations/${id}/cancel`, {});
export const isUnderWay = (job: EvaluationJob | undefined): boolean => job?.state === "waiting" || job?.state === "running";
export const loadIncidents = async (query: string): Promise<Incident[]> => (await get<{ incidents: Incident[] }>(`/api/registry/incidents?${query}`)).incidents;
export const loadIncident = (id: number): Promise<Incident> => get(`/api/registry/incidents/${id}`);
export const loadTrace = (id: string): Promise<Trace> => get(`/api/traces/${encodeURIComponent(id)}`);
export const loadRequests = async (record: string, limit = 50): Promise<LoggedRequest[]> =>
  (await get<{ requests: LoggedRequest[] }>(`/api/registry/requests?record=${encodeURIComponent(record)}&limit=${limit}`)).requests;

// What each release of a record did in its latest requests.
export async function servedLately(record: string): Promise<ServedFigures[]> {
  const byRelease = new Map<number, LoggedRequest[]>();
  for (const one of await loadRequests(record, 200)) byRelease.set(one.release, [...(byRelease.get(one.release) ?? []), one]);
  return [...byRelease].map(([release, requests]) => {
    const judged = requests.flatMap((one) => one.predictions).filter((one) => one.correct !== null);
    const times = requests.map((one) => one.ms).sort((a, b) => a - b);
    return {
      record,
      release,
      requests: requests.length,
      errors: requests.filter((one) => one.status >= 400).length,
      labels: judged.length,
      accuracy: judged.length > 0 ? judged.filter((one) => one.correct).length / judged.length : null,
      p95_ms: times[Math.min(times.length - 1, Math.floor(times.length * 0.95))] ?? 0,
    };
  });
}

// One step of a release: validate, approve, reject, canary, promote, deploy, rollback, retire.
export const step = (record: RecordName, number: number, verb: string, body: Record<string, unknown>): Promise<Release> =>
  post(`${releasePath(record, number)}/${verb}`, body);
// What a run wrote, as it is: figures that its rows deny are refused by the server.
export const resultFile: AskField = { name: "file", label: "Result of the run", kind: "file", help: 'A JSON file of {"body", "rows"}; figures that its rows deny are refused.' };
export async function addResult(record: RecordName, number: number, kind: string, text: string): Promise<Evidence> {
  let result: unknown;
  try {
    result = JSON.parse(text);
  } catch {
    throw new Error("This file is not JSON.");
  }
  return post(`${releasePath(record, number)}/evidence`, { kind, ...(result as object) });
}
export const putRecord = (record: RecordName, fields: Record<string, unknown>): Promise<RecordInfo> => put(recordPath(record), fields);

export interface Endpoint {
  id: string;
  kind: "served" | "attached";
  record: string | null;
  model: string;
  revision: string;
  engine: string | null;
  url: string | null;
  state: "pending" | "initializing" | "updating" | "running" | "paused" | "scaledToZero" | "failed" | "updateFailed" | "frozen";
  why: string | null;
  settings: { min_replicas: number; max_replicas: number; scale_to_zero_minutes: number; queue_delay_ms: number } | null; // Null: loaded when it is asked.
  created: string;
  by: string;
  deployments: { name: string; release: number | null; revision: string; percent: number; state: string }[];
  base_url: string;
}
export const loadEndpoints = async (): Promise<Endpoint[]> => {
  const answer = await get<{ endpoints: Endpoint[] } | Endpoint[]>("/api/endpoints");
  return Array.isArray(answer) ? answer : answer.endpoints;
};
export const loadEndpoint = (ns: string, name: string): Promise<Endpoint> => get(`/api/endpoints/${encodeURIComponent(ns)}/${encodeURIComponent(name)}`);
