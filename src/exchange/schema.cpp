#include "exchange/schema.h"

#include <array>

namespace holdfast::exchange {
namespace {

// Times are milliseconds since 1970. A row of exchange_revisions is one revision of an upstream's
// repository: its state goes fetching → done, quarantined or failed; `files` is the upstream's list as JSON.
constexpr std::array steps = {
    sql::Migration{"exchange", 1, R"sql(
CREATE TABLE exchange_upstreams (
  name TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  secret TEXT NOT NULL,
  namespaces TEXT NOT NULL,
  allow TEXT NOT NULL,
  deny TEXT NOT NULL,
  visibility TEXT NOT NULL,
  follow BIGINT NOT NULL,
  every_ms BIGINT NOT NULL,
  bytes_max BIGINT NOT NULL,
  actor TEXT NOT NULL,
  updated BIGINT NOT NULL
);

CREATE TABLE exchange_revisions (
  id {serial},
  upstream TEXT NOT NULL,
  type TEXT NOT NULL,
  ns TEXT NOT NULL,
  name TEXT NOT NULL,
  remote TEXT NOT NULL,
  asked TEXT NOT NULL,
  remote_commit TEXT NOT NULL,
  files TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  state TEXT NOT NULL,
  detail TEXT NOT NULL,
  repo BIGINT NOT NULL,
  commit_oid TEXT NOT NULL,
  digest TEXT NOT NULL,
  license TEXT NOT NULL,
  started BIGINT NOT NULL,
  ended BIGINT NOT NULL
);
CREATE INDEX exchange_revisions_place ON exchange_revisions (type, ns, name);
CREATE INDEX exchange_revisions_state ON exchange_revisions (state);

CREATE TABLE exchange_repositories (
  repo BIGINT PRIMARY KEY,
  upstream TEXT NOT NULL,
  remote TEXT NOT NULL,
  head TEXT NOT NULL,
  checked BIGINT NOT NULL,
  state TEXT NOT NULL
);

CREATE TABLE exchange_webhooks (
  id TEXT PRIMARY KEY,
  owner BIGINT NOT NULL,
  url TEXT NOT NULL,
  job TEXT NOT NULL,
  watched TEXT NOT NULL,
  domains TEXT NOT NULL,
  secret TEXT NOT NULL,
  disabled BIGINT NOT NULL,
  created BIGINT NOT NULL
);
CREATE INDEX exchange_webhooks_owner ON exchange_webhooks (owner);

CREATE TABLE exchange_deliveries (
  id {serial},
  webhook TEXT NOT NULL,
  event TEXT NOT NULL,
  body TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  next_at BIGINT NOT NULL,
  status BIGINT NOT NULL,
  answer TEXT NOT NULL,
  created BIGINT NOT NULL,
  ended BIGINT NOT NULL
);
CREATE INDEX exchange_deliveries_webhook ON exchange_deliveries (webhook, id);
CREATE INDEX exchange_deliveries_due ON exchange_deliveries (state, next_at);

CREATE TABLE exchange_cursors (
  name TEXT PRIMARY KEY,
  position BIGINT NOT NULL
);
)sql"},
};

}  // namespace

std::span<const sql::Migration> migrations() { return steps; }

}  // namespace holdfast::exchange
