#include "repo/schema.h"

#include <array>

namespace holdfast::repo {
namespace {

// Times are milliseconds since 1970. `place` is "model:ns/name" in lower case: names that differ only in case
// are the same place. A deleted repository loses all its rows but its events.
constexpr std::array steps = {
    sql::Migration{"repo", 1, R"sql(
CREATE TABLE repo_repositories (
  id {serial},
  type TEXT NOT NULL,
  ns TEXT NOT NULL,
  name TEXT NOT NULL,
  place TEXT NOT NULL UNIQUE,
  visibility TEXT NOT NULL,
  gate TEXT NOT NULL,
  disabled BIGINT NOT NULL DEFAULT 0,
  creator TEXT NOT NULL DEFAULT '',
  sdk TEXT NOT NULL DEFAULT '',
  likes BIGINT NOT NULL DEFAULT 0,
  downloads BIGINT NOT NULL DEFAULT 0,
  discussions BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL,
  updated BIGINT NOT NULL
);
CREATE INDEX repo_repositories_ns ON repo_repositories (ns, type);

CREATE TABLE repo_redirects (
  place TEXT PRIMARY KEY,
  repo BIGINT NOT NULL
);

CREATE TABLE repo_refs (
  repo BIGINT NOT NULL,
  name TEXT NOT NULL,
  target TEXT NOT NULL,
  PRIMARY KEY (repo, name)
);

CREATE TABLE repo_events (
  id {serial},
  repo BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  kind TEXT NOT NULL,
  ref TEXT NOT NULL DEFAULT '',
  old_target TEXT NOT NULL DEFAULT '',
  new_target TEXT NOT NULL DEFAULT ''
);
CREATE INDEX repo_events_repo ON repo_events (repo, id);

CREATE TABLE repo_objects (
  repo BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  file_hash TEXT NOT NULL,
  size BIGINT NOT NULL,
  path TEXT NOT NULL DEFAULT '',
  at BIGINT NOT NULL,
  PRIMARY KEY (repo, sha256)
);
CREATE INDEX repo_objects_sha256 ON repo_objects (sha256);
CREATE INDEX repo_objects_file ON repo_objects (file_hash);

CREATE TABLE repo_uploads (
  token BIGINT NOT NULL,
  kind TEXT NOT NULL,
  hash TEXT NOT NULL,
  size BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (token, kind, hash)
);
CREATE INDEX repo_uploads_at ON repo_uploads (at);

CREATE TABLE repo_cards (
  repo BIGINT PRIMARY KEY,
  commit_oid TEXT NOT NULL,
  library TEXT NOT NULL DEFAULT '',
  pipeline TEXT NOT NULL DEFAULT '',
  card TEXT NOT NULL DEFAULT '{}',
  config TEXT NOT NULL DEFAULT '',
  safetensors TEXT NOT NULL DEFAULT '',
  parameters BIGINT NOT NULL DEFAULT 0,
  modified BIGINT NOT NULL
);

CREATE TABLE repo_tensor_counts (
  file_hash TEXT PRIMARY KEY,
  parameters TEXT NOT NULL
);

CREATE TABLE repo_tags (
  repo BIGINT NOT NULL,
  tag TEXT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (repo, tag)
);
CREATE INDEX repo_tags_tag ON repo_tags (tag);

CREATE TABLE repo_likes (
  repo BIGINT NOT NULL,
  user_name TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (repo, user_name)
);
CREATE INDEX repo_likes_user ON repo_likes (user_name);

CREATE TABLE repo_gate_requests (
  repo BIGINT NOT NULL,
  user_name TEXT NOT NULL,
  status TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (repo, user_name)
);

CREATE TABLE repo_discussions (
  repo BIGINT NOT NULL,
  number BIGINT NOT NULL,
  title TEXT NOT NULL,
  author TEXT NOT NULL,
  status TEXT NOT NULL,
  pull_request BIGINT NOT NULL,
  base TEXT NOT NULL DEFAULT '',
  merge_commit TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL,
  PRIMARY KEY (repo, number)
);

CREATE TABLE repo_discussion_events (
  id {serial},
  repo BIGINT NOT NULL,
  number BIGINT NOT NULL,
  event TEXT NOT NULL,
  type TEXT NOT NULL,
  author TEXT NOT NULL,
  data TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX repo_discussion_events_place ON repo_discussion_events (repo, number, id);
)sql"},
    sql::Migration{"repo", 2, R"sql(
CREATE TABLE repo_file_verdicts (
  sha256 TEXT NOT NULL,
  suffix TEXT NOT NULL,
  rules BIGINT NOT NULL,
  severity TEXT NOT NULL,
  report TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (sha256, suffix, rules)
);

CREATE TABLE repo_verdicts (
  repo BIGINT NOT NULL,
  commit_oid TEXT NOT NULL,
  rules BIGINT NOT NULL,
  standing TEXT NOT NULL,
  report TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (repo, commit_oid, rules)
);
)sql"},
    sql::Migration{"repo", 3, R"sql(
CREATE TABLE repo_collections (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  creator TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL,
  theme TEXT NOT NULL,
  private BIGINT NOT NULL,
  position BIGINT NOT NULL,
  updated BIGINT NOT NULL
);
CREATE INDEX repo_collections_owner ON repo_collections (owner, title);

CREATE TABLE repo_collection_items (
  id TEXT PRIMARY KEY,
  collection TEXT NOT NULL,
  type TEXT NOT NULL,
  what TEXT NOT NULL,
  note TEXT NOT NULL,
  position BIGINT NOT NULL
);
CREATE UNIQUE INDEX repo_collection_items_place ON repo_collection_items (collection, type, what);
)sql"},
    // `digest` is that of a tensor's bytes, whatever file holds it (kinship.h).
    sql::Migration{"repo", 4, R"sql(
CREATE TABLE repo_file_tensors (
  sha256 TEXT NOT NULL,
  digest {blob} NOT NULL,
  bytes BIGINT NOT NULL,
  PRIMARY KEY (sha256, digest)
);
CREATE INDEX repo_file_tensors_digest ON repo_file_tensors (digest, sha256);

CREATE TABLE repo_indexed_files (
  sha256 TEXT PRIMARY KEY,
  tensors BIGINT NOT NULL
);

CREATE TABLE repo_withdrawn (
  sha256 TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  at BIGINT NOT NULL
);
)sql"},
    sql::Migration{"repo", 5, R"sql(
CREATE TABLE repo_tombstones (
  place TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  ns TEXT NOT NULL,
  name TEXT NOT NULL,
  visibility TEXT NOT NULL,
  creator TEXT NOT NULL,
  actor TEXT NOT NULL,
  at BIGINT NOT NULL
);
)sql"},
    sql::Migration{"repo", 6, R"sql(
CREATE TABLE repo_held_releases (
  repo BIGINT NOT NULL,
  commit_oid TEXT NOT NULL,
  state TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  at BIGINT NOT NULL,
  confirmed_by TEXT NOT NULL DEFAULT '',
  confirmed_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (repo, commit_oid)
);

CREATE TABLE repo_clearances (
  repo BIGINT NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  reason TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (repo, kind)
);

CREATE TABLE repo_masking_jobs (
  id {serial},
  repo BIGINT NOT NULL,
  actor TEXT NOT NULL,
  token BIGINT NOT NULL,
  revision TEXT NOT NULL,
  into_branch TEXT NOT NULL,
  way TEXT NOT NULL,
  state TEXT NOT NULL,
  started BIGINT NOT NULL DEFAULT 0,
  ended BIGINT NOT NULL DEFAULT 0,
  report TEXT NOT NULL DEFAULT '',
  failure TEXT NOT NULL DEFAULT ''
);
)sql"},
    sql::Migration{"repo", 7, R"sql(
CREATE TABLE repo_adapter_bases (
  repo BIGINT NOT NULL,
  commit_oid TEXT NOT NULL,
  base BIGINT NOT NULL,
  base_commit TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (repo, commit_oid)
);
)sql"},
};

}  // namespace

std::span<const sql::Migration> migrations() { return steps; }

}  // namespace holdfast::repo
