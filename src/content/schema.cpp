#include "content/schema.h"

namespace holdfast::content {
namespace {

// content_xorbs.pending is the number of the ingest that is making the xorb, 0 once it is everybody's.
// content_chunks.chunk_key is the first eight bytes of the chunk's hash; the rest is in the xorb's table.
// Tables and terms lie apart from their rows so that renewing touched_at does not rewrite them.
constexpr sql::Migration steps[] = {{"content", 1, R"(
CREATE TABLE content_xorbs (
  id {serial},
  hash {blob} NOT NULL UNIQUE,
  generation TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  pending BIGINT NOT NULL,
  touched_at BIGINT NOT NULL
);
CREATE INDEX content_xorbs_touched ON content_xorbs (touched_at);
CREATE TABLE content_xorb_tables (
  xorb BIGINT PRIMARY KEY,
  chunks {blob} NOT NULL
);
CREATE TABLE content_chunks (
  chunk_key BIGINT NOT NULL,
  xorb BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (chunk_key, xorb, position)
);
CREATE TABLE content_files (
  id {serial},
  hash {blob} NOT NULL UNIQUE,
  sha256 {blob} NOT NULL,
  size BIGINT NOT NULL,
  touched_at BIGINT NOT NULL
);
CREATE INDEX content_files_sha256 ON content_files (sha256);
CREATE INDEX content_files_touched ON content_files (touched_at);
CREATE TABLE content_file_terms (
  file BIGINT PRIMARY KEY,
  terms {blob} NOT NULL
);
CREATE TABLE content_uses (
  xorb BIGINT NOT NULL,
  file BIGINT NOT NULL,
  PRIMARY KEY (xorb, file)
);
CREATE TABLE content_trash (
  path TEXT PRIMARY KEY,
  bytes BIGINT NOT NULL
);
CREATE TABLE content_hold (
  id BIGINT PRIMARY KEY,
  until_ms BIGINT NOT NULL
);
)"}};

}  // namespace

std::span<const sql::Migration> migrations() { return steps; }

}  // namespace holdfast::content
