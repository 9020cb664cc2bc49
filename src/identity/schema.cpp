#include "identity/schema.h"

#include <array>

namespace holdfast::identity {
namespace {

// Times are milliseconds since 1970. `name_key` is the name in lower case; identity_names keeps users and
// organisations apart, since they share one space of names. `identity_generation` is raised by every change
// that a checked token must not outlive (tokens.h).
constexpr std::array steps = {
    sql::Migration{"identity", 1, R"sql(
CREATE TABLE identity_names (
  name_key TEXT PRIMARY KEY,
  kind TEXT NOT NULL
);

CREATE TABLE identity_users (
  id {serial},
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  fullname TEXT NOT NULL,
  email TEXT NOT NULL,
  admin BIGINT NOT NULL,
  disabled BIGINT NOT NULL DEFAULT 0,
  password TEXT NOT NULL DEFAULT '',
  created BIGINT NOT NULL
);

CREATE TABLE identity_organisations (
  id {serial},
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  fullname TEXT NOT NULL,
  default_visibility TEXT NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE identity_members (
  organisation BIGINT NOT NULL REFERENCES identity_organisations (id),
  member BIGINT NOT NULL REFERENCES identity_users (id),
  role TEXT NOT NULL,
  PRIMARY KEY (organisation, member)
);
CREATE INDEX identity_members_member ON identity_members (member);

CREATE TABLE identity_tokens (
  id {serial},
  owner BIGINT NOT NULL REFERENCES identity_users (id),
  digest {blob} NOT NULL UNIQUE,
  label TEXT NOT NULL,
  role TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT,
  last_used BIGINT,
  revoked BIGINT
);
CREATE INDEX identity_tokens_owner ON identity_tokens (owner);

CREATE TABLE identity_generation (
  one BIGINT PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO identity_generation (one, value) VALUES (1, 1);

CREATE TABLE identity_audit (
  number BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL,
  hash {blob} NOT NULL
);
)sql"},
    sql::Migration{"identity", 2, R"sql(
ALTER TABLE identity_tokens ADD COLUMN environment TEXT NOT NULL DEFAULT '';
)sql"},
    // `people` are ids of users with spaces between them (sessions.h).
    sql::Migration{"identity", 3, R"sql(
CREATE TABLE identity_sessions (
  id {serial},
  digest {blob} NOT NULL UNIQUE,
  owner BIGINT NOT NULL REFERENCES identity_users (id),
  people TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  last_used BIGINT NOT NULL
);
CREATE INDEX identity_sessions_owner ON identity_sessions (owner);

CREATE TABLE identity_sign_in_links (
  digest {blob} PRIMARY KEY,
  people TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL
);
)sql"},
    sql::Migration{"identity", 4, R"sql(
CREATE TABLE identity_secrets (
  name TEXT PRIMARY KEY,
  place TEXT NOT NULL,
  reference TEXT NOT NULL,
  host TEXT NOT NULL,
  actor TEXT NOT NULL,
  updated BIGINT NOT NULL,
  sealed TEXT NOT NULL
);
)sql"},
    sql::Migration{"identity", 5, R"sql(
ALTER TABLE identity_tokens ADD COLUMN found_in TEXT NOT NULL DEFAULT '';
)sql"},
    // Who fetched what is private within the last hour (private_reads.h).
    sql::Migration{"identity", 6, R"sql(
CREATE TABLE identity_private_reads (
  reader BIGINT NOT NULL,
  token BIGINT NOT NULL,
  subject TEXT NOT NULL,
  what TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (reader, token, subject, what)
);
)sql"},
    // How old tokens may become (token_ages.h): by organisation, whose 0 is the instance, and a token's own
    // rule where `age_own` is 1. Spans are milliseconds; none is NULL. `told_ageing` and `told_ended` are
    // when its user was told; `replaced_by` is the token that rotation put in its place.
    sql::Migration{"identity", 7, R"sql(
CREATE TABLE identity_token_ages (
  organisation BIGINT PRIMARY KEY,
  warn BIGINT,
  ends BIGINT,
  actor TEXT NOT NULL,
  updated BIGINT NOT NULL
);
ALTER TABLE identity_tokens ADD COLUMN age_own BIGINT NOT NULL DEFAULT 0;
ALTER TABLE identity_tokens ADD COLUMN age_warn BIGINT;
ALTER TABLE identity_tokens ADD COLUMN age_end BIGINT;
ALTER TABLE identity_tokens ADD COLUMN told_ageing BIGINT;
ALTER TABLE identity_tokens ADD COLUMN told_ended BIGINT;
ALTER TABLE identity_tokens ADD COLUMN replaced_by BIGINT;
)sql"},
};

}  // namespace

std::span<const sql::Migration> migrations() { return steps; }

}  // namespace holdfast::identity
