// What the checks say of one revision: pickles, archives, secrets, licence and card, each finding with its place.
import { ApiError, get } from "./client";
import { apiOf, encodeRevision, type RepoPlace } from "./repository";

export interface Finding {
  topic: string;
  rule: string;
  severity: "note" | "warning" | "dangerous";
  reason: string;
  member?: string; // Inside of an archive.
  offset?: number; // Byte of a pickle's opcode.
  line?: number;
}
export interface CheckedFile {
  path: string;
  severity: string;
  pickle: boolean;
  imports: { module: string; name: string; safety: "innocuous" | "suspicious" | "dangerous" }[];
  findings: Finding[];
}
export interface Verdict {
  commit: string;
  rules: number;
  filesScanned: number;
  standing: "clean" | "warned" | "held";
  reasons: string[];
  released?: { state: "proposed" | "released"; by: string; reason: string; at: string; confirmedBy?: string };
  files: CheckedFile[];
  card: { findings: Finding[]; missingSections: string[]; completeness: number; license: string };
  license?: {
    verdict: string;
    components: { role: string; name: string; license: string }[];
    reasons: { verdict: string; component: string; license: string; rule: string; reason: string; clause: string }[];
    duties: string[];
    notice: string;
  };
}

// Null where the server has no checks.
export async function loadVerdict(place: RepoPlace, revision: string): Promise<Verdict | null> {
  try {
    return await get<Verdict>(`${apiOf(place)}/checks/${encodeRevision(revision)}`);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

export function placeOf(finding: Finding): string {
  const parts = [
    ...(finding.member ? [`in ${finding.member}`] : []),
    ...(finding.line !== undefined ? [`line ${finding.line}`] : []),
    ...(finding.offset !== undefined ? [`byte ${finding.offset}`] : []),
  ];
  return parts.join(", ");
}
