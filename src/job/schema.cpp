#include "job/schema.h"

#include <array>

namespace holdfast::job {
namespace {

// Times are milliseconds since 1970, zero where there is none. A file of a batch has no parts: it is the
// answers of the batch's requests, those with a status below 400 or the others (`failures`). A request's
// status is zero until it is answered; its body is emptied then.
constexpr std::array steps = {sql::Migration{"job", 1, R"sql(
CREATE TABLE job_files (
  id TEXT PRIMARY KEY,
  owner BIGINT NOT NULL,
  name TEXT NOT NULL,
  purpose TEXT NOT NULL,
  size BIGINT NOT NULL,
  at BIGINT NOT NULL,
  batch TEXT NOT NULL DEFAULT '',
  failures BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX job_files_owner ON job_files (owner, at);

CREATE TABLE job_file_parts (
  file TEXT NOT NULL,
  part BIGINT NOT NULL,
  bytes {blob} NOT NULL,
  PRIMARY KEY (file, part)
);

CREATE TABLE job_batches (
  number {serial},
  id TEXT NOT NULL,
  owner BIGINT NOT NULL,
  user_name TEXT NOT NULL,
  token BIGINT NOT NULL,
  endpoint TEXT NOT NULL,
  input TEXT NOT NULL,
  metadata TEXT NOT NULL,
  state TEXT NOT NULL,
  errors TEXT NOT NULL DEFAULT '',
  output_file TEXT NOT NULL DEFAULT '',
  error_file TEXT NOT NULL DEFAULT '',
  total BIGINT NOT NULL DEFAULT 0,
  answered BIGINT NOT NULL DEFAULT 0,
  failed BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  began BIGINT NOT NULL DEFAULT 0,
  cancelled BIGINT NOT NULL DEFAULT 0,
  ended BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX job_batches_id ON job_batches (id);
CREATE INDEX job_batches_owner ON job_batches (owner, number);
CREATE INDEX job_batches_state ON job_batches (state);

CREATE TABLE job_requests (
  batch TEXT NOT NULL,
  line BIGINT NOT NULL,
  custom_id TEXT NOT NULL,
  body TEXT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  status BIGINT NOT NULL DEFAULT 0,
  answer TEXT NOT NULL DEFAULT '',
  size BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (batch, line)
);
)sql"},
                              // What the models took that were asked; costs in billionths of the currency.
                              sql::Migration{"job", 2, R"sql(
ALTER TABLE job_requests ADD COLUMN tokens_read BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_requests ADD COLUMN tokens_written BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_requests ADD COLUMN worker_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_requests ADD COLUMN cost_nano BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_batches ADD COLUMN tokens_read BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_batches ADD COLUMN tokens_written BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_batches ADD COLUMN worker_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_batches ADD COLUMN cost_nano BIGINT NOT NULL DEFAULT 0;
)sql"}};

}  // namespace

std::span<const sql::Migration> migrations() { return steps; }

}  // namespace holdfast::job
