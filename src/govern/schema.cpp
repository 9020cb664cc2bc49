#include "govern/schema.h"

#include <array>

namespace holdfast::govern {
namespace {

// Times are milliseconds since 1970. Bodies are JSON as codec/json.h writes it; digests are SHA-256 in
// hexadecimal. A decision's text is its row of identity_audit, which is chained: govern_decisions only says
// what it belongs to. `latest` of govern_state is the latest time that was ever seen, so that a clock set
// back revives nothing.
constexpr std::array steps = {
    sql::Migration{"govern", 1, R"sql(
CREATE TABLE govern_state (
  one BIGINT PRIMARY KEY,
  generation BIGINT NOT NULL,
  latest BIGINT NOT NULL,
  labels BIGINT NOT NULL
);
INSERT INTO govern_state (one, generation, latest, labels) VALUES (1, 1, 0, 0);

CREATE TABLE govern_records (
  id TEXT PRIMARY KEY,
  repo BIGINT NOT NULL,
  body TEXT NOT NULL,
  source TEXT NOT NULL,
  digest TEXT NOT NULL,
  changed BIGINT NOT NULL,
  changed_by TEXT NOT NULL,
  frozen BIGINT NOT NULL DEFAULT 0,
  frozen_why TEXT NOT NULL DEFAULT '',
  frozen_by TEXT NOT NULL DEFAULT '',
  frozen_at BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE govern_features (
  feature TEXT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (feature, record)
);

CREATE TABLE govern_criteria (
  record TEXT NOT NULL,
  number BIGINT NOT NULL,
  body TEXT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL,
  PRIMARY KEY (record, number)
);

CREATE TABLE govern_releases (
  record TEXT NOT NULL,
  number BIGINT NOT NULL,
  state TEXT NOT NULL,
  repo BIGINT NOT NULL,
  model TEXT NOT NULL,
  revision TEXT NOT NULL,
  digest TEXT NOT NULL,
  parts TEXT NOT NULL,
  note TEXT NOT NULL,
  author TEXT NOT NULL,
  authors TEXT NOT NULL,
  at BIGINT NOT NULL,
  since BIGINT NOT NULL,
  percent DOUBLE PRECISION NOT NULL DEFAULT 0,
  exception BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (record, number)
);
CREATE INDEX govern_releases_repo ON govern_releases (repo, revision);

CREATE TABLE govern_evidence (
  id {serial},
  record TEXT NOT NULL,
  release BIGINT NOT NULL,
  kind TEXT NOT NULL,
  digest TEXT NOT NULL,
  body TEXT NOT NULL,
  rows_digest TEXT NOT NULL,
  rows_count BIGINT NOT NULL,
  rows_text TEXT NOT NULL,
  at BIGINT NOT NULL,
  author TEXT NOT NULL
);
CREATE INDEX govern_evidence_release ON govern_evidence (record, release);

CREATE TABLE govern_approvals (
  record TEXT NOT NULL,
  release BIGINT NOT NULL,
  role TEXT NOT NULL,
  user_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  newcomer BIGINT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (record, release, role)
);

CREATE TABLE govern_roles (
  id {serial},
  ns TEXT NOT NULL,
  user_name TEXT NOT NULL,
  role TEXT NOT NULL,
  state TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  confirmed_by TEXT NOT NULL DEFAULT '',
  at BIGINT NOT NULL
);
CREATE INDEX govern_roles_ns ON govern_roles (ns, user_name);

CREATE TABLE govern_exceptions (
  id {serial},
  record TEXT NOT NULL,
  release BIGINT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  confirmed_by TEXT NOT NULL DEFAULT '',
  at BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
CREATE INDEX govern_exceptions_record ON govern_exceptions (record, release);

CREATE TABLE govern_decisions (
  number BIGINT PRIMARY KEY,
  record TEXT NOT NULL,
  release BIGINT NOT NULL
);
CREATE INDEX govern_decisions_record ON govern_decisions (record, release);

CREATE TABLE govern_data_keys (
  data_class TEXT PRIMARY KEY,
  sealed {blob} NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE govern_requests (
  id TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  record TEXT NOT NULL,
  release BIGINT NOT NULL,
  deployment TEXT NOT NULL,
  repo BIGINT NOT NULL,
  model TEXT NOT NULL,
  revision TEXT NOT NULL,
  tokenizer TEXT NOT NULL,
  feature TEXT NOT NULL,
  user_name TEXT NOT NULL,
  door TEXT NOT NULL,
  captures TEXT NOT NULL,
  content_type TEXT NOT NULL,
  status BIGINT NOT NULL,
  took BIGINT NOT NULL,
  data_class TEXT NOT NULL,
  input {blob} NOT NULL,
  output {blob} NOT NULL,
  output_digest TEXT NOT NULL
);
CREATE INDEX govern_requests_record ON govern_requests (record, release, at);

CREATE TABLE govern_predictions (
  request TEXT NOT NULL,
  item BIGINT NOT NULL,
  record TEXT NOT NULL,
  release BIGINT NOT NULL,
  label TEXT NOT NULL,
  score DOUBLE PRECISION NOT NULL,
  at BIGINT NOT NULL,
  truth TEXT NOT NULL DEFAULT '',
  labelled BIGINT NOT NULL DEFAULT 0,
  labelled_by TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (request, item)
);
CREATE INDEX govern_predictions_release ON govern_predictions (record, release, labelled);
CREATE INDEX govern_predictions_labelled ON govern_predictions (record, labelled);

CREATE TABLE govern_incidents (
  id {serial},
  record TEXT NOT NULL,
  state TEXT NOT NULL,
  cause TEXT NOT NULL,
  opened BIGINT NOT NULL,
  closed BIGINT NOT NULL DEFAULT 0,
  body TEXT NOT NULL
);
CREATE INDEX govern_incidents_record ON govern_incidents (record, state);

CREATE TABLE govern_review (
  id {serial},
  record TEXT NOT NULL,
  request TEXT NOT NULL,
  item BIGINT NOT NULL,
  release BIGINT NOT NULL,
  why TEXT NOT NULL,
  state TEXT NOT NULL,
  predicted TEXT NOT NULL,
  score DOUBLE PRECISION NOT NULL,
  truth TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  reviewer TEXT NOT NULL DEFAULT '',
  at BIGINT NOT NULL,
  UNIQUE (request, item)
);
CREATE INDEX govern_review_record ON govern_review (record, state);

CREATE TABLE govern_golden (
  id {serial},
  record TEXT NOT NULL,
  request TEXT NOT NULL,
  item BIGINT NOT NULL,
  data_class TEXT NOT NULL,
  input {blob} NOT NULL,
  label TEXT NOT NULL,
  at BIGINT NOT NULL,
  UNIQUE (record, request, item)
);

CREATE TABLE govern_endpoints (
  id TEXT PRIMARY KEY,
  record TEXT NOT NULL,
  repo BIGINT NOT NULL,
  model TEXT NOT NULL,
  revision TEXT NOT NULL,
  created BIGINT NOT NULL,
  creator TEXT NOT NULL
);

CREATE TABLE govern_attachments (
  endpoint TEXT NOT NULL,
  revision TEXT NOT NULL,
  engine TEXT NOT NULL,
  url TEXT NOT NULL,
  sealed_token {blob} NOT NULL,
  anywhere BIGINT NOT NULL,
  PRIMARY KEY (endpoint, revision)
);
)sql"},
    sql::Migration{"govern", 2, R"sql(
CREATE TABLE govern_evaluations (
  id {serial},
  record TEXT NOT NULL,
  release BIGINT NOT NULL,
  state TEXT NOT NULL,
  dataset TEXT NOT NULL,
  dataset_repo BIGINT NOT NULL,
  dataset_revision TEXT NOT NULL,
  split TEXT NOT NULL,
  text_column TEXT NOT NULL,
  label_column TEXT NOT NULL,
  criteria BIGINT NOT NULL,
  seed BIGINT NOT NULL,
  user_name TEXT NOT NULL,
  at BIGINT NOT NULL,
  ended BIGINT NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  rows_count BIGINT NOT NULL DEFAULT 0,
  evidence BIGINT NOT NULL DEFAULT 0,
  why TEXT NOT NULL DEFAULT ''
);
CREATE INDEX govern_evaluations_release ON govern_evaluations (record, release);
CREATE INDEX govern_evaluations_state ON govern_evaluations (state);
)sql"},
    // Of endpoints that are managed; one without a row runs when it is asked.
    sql::Migration{"endpoint", 1, R"sql(
CREATE TABLE endpoint_settings (
  endpoint TEXT PRIMARY KEY,
  state TEXT NOT NULL,
  why TEXT NOT NULL DEFAULT '',
  replicas_min BIGINT NOT NULL DEFAULT 0,
  replicas_max BIGINT NOT NULL DEFAULT 1,
  idle_minutes BIGINT NOT NULL DEFAULT 0,
  spec TEXT NOT NULL DEFAULT '',
  updated BIGINT NOT NULL
);
)sql"},
    // The name of a secret of the store that an outside engine is called with.
    sql::Migration{"endpoint", 2,
                   "ALTER TABLE govern_attachments ADD COLUMN secret TEXT NOT NULL DEFAULT ''"},
    sql::Migration{"endpoint", 3,
                   "ALTER TABLE endpoint_settings ADD COLUMN queue_delay_ms BIGINT NOT NULL DEFAULT -1"},
    // What the engine itself calls the model.
    sql::Migration{"endpoint", 4,
                   "ALTER TABLE govern_attachments ADD COLUMN engine_model TEXT NOT NULL DEFAULT ''"},
    // What machines say lies on them (host_reports.h); `found` is JSON.
    sql::Migration{"inventory", 1, R"sql(
CREATE TABLE govern_inventory_hosts (
  host TEXT PRIMARY KEY,
  reporter BIGINT NOT NULL,
  reporter_name TEXT NOT NULL,
  reported BIGINT NOT NULL,
  models BIGINT NOT NULL,
  found TEXT NOT NULL
);
)sql"},
};

}  // namespace

std::span<const sql::Migration> migrations() { return steps; }

}  // namespace holdfast::govern
