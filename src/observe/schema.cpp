#include "observe/schema.h"

#include <array>

namespace holdfast::observe {
namespace {

// The body is DriftBook's state: numbers, labels and keyed digests of words, no text. A budget's row is what
// one minute or hour (`minutes` 1 or 60) came to; its number counts them since 1970.
constexpr std::array steps = {
    sql::Migration{"observe", 1, R"sql(
CREATE TABLE observe_drift (
  record TEXT PRIMARY KEY,
  body TEXT NOT NULL
);
)sql"},
    sql::Migration{"observe", 2, R"sql(
CREATE TABLE observe_budgets (
  record TEXT NOT NULL,
  minutes BIGINT NOT NULL,
  number BIGINT NOT NULL,
  answered BIGINT NOT NULL,
  late BIGINT NOT NULL,
  bad BIGINT NOT NULL,
  PRIMARY KEY (record, minutes, number)
);
)sql"},
    // What is asked was written by who keeps the endpoint, and what is answered to it is no user's.
    sql::Migration{"observe", 3, R"sql(
CREATE TABLE observe_endpoint_probes (
  endpoint TEXT NOT NULL,
  position BIGINT NOT NULL,
  path TEXT NOT NULL,
  body TEXT NOT NULL,
  stated BIGINT NOT NULL,
  revision TEXT NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (endpoint, position)
);
)sql"},
};

}  // namespace

std::span<const sql::Migration> migrations() { return steps; }

}  // namespace holdfast::observe
