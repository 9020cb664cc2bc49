// Shapes of the Hub's protocol as the pages use them.

export type RepoType = "model" | "dataset" | "space";

// A card's own results; the server adds whether a run of its own found the same.
export interface ModelIndex {
  results?: {
    dataset?: { type?: string; name?: string };
    metrics?: { type?: string; name?: string; value?: unknown; verified?: boolean; verifiedBy?: { evaluation: number } }[];
  }[];
}

export interface RepoInfo {
  id: string;
  author: string;
  sha?: string;
  createdAt: string;
  lastModified: string;
  private: boolean;
  gated: false | "auto" | "manual";
  disabled: boolean;
  downloads: number;
  likes: number;
  tags: string[];
  pipeline_tag?: string;
  library_name?: string;
  cardData?: Record<string, unknown>;
  "model-index"?: ModelIndex[] | null;
  config?: Record<string, unknown>;
  safetensors?: { parameters?: Record<string, number>; total?: number } | null;
  siblings?: { rfilename: string; size?: number }[];
  usedStorage?: number;
}

export interface TreeEntry {
  type: "file" | "directory";
  path: string;
  oid: string;
  size: number;
  lfs?: { oid: string; size: number };
  lastCommit?: { id: string; title: string; date: string };
  securityFileStatus?: { status: string; [key: string]: unknown };
}

export interface CommitInfo {
  id: string;
  title: string;
  message: string;
  date: string;
  authors: { user: string }[];
}

export interface Ref {
  name: string;
  ref: string;
  targetCommit: string;
}
export interface Refs {
  branches: Ref[];
  tags: Ref[];
  pullRequests?: Ref[];
}

export interface Discussion {
  num: number;
  title: string;
  status: "open" | "closed" | "merged" | "draft";
  author: { name: string };
  createdAt: string;
  isPullRequest: boolean;
}
export interface DiscussionEvent {
  id: string;
  type: string;
  createdAt: string;
  author: { name: string };
  data: Record<string, unknown>;
}
export interface DiscussionDetails extends Discussion {
  events: DiscussionEvent[];
  changes?: { base: string; mergeCommitId?: string };
  filesWithConflicts?: string[];
  diff?: string;
}

export interface AccessToken {
  id: number;
  name: string;
  role: "read" | "write" | "fineGrained";
  scopes: string[];
  created: string;
  expires: string | null;
  last_used: string | null;
  token?: string;
  found_in?: string | null; // It was found there by a scan, and revoked.
  revoked?: string | null;
  ends?: string | null; // At `expires`, or by its age where `ends_by` says whose rule that is.
  ends_by?: string | null;
  ageing?: boolean; // It ends by its age soon, or has.
  replaced_by?: number | null;
}
