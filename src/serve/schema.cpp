#include "serve/schema.h"

#include <array>

namespace holdfast::serve {
namespace {

// A subject is "token:7", "user:ada", "organisation:lab" or "endpoint:ada/search". Amounts of money are
// millionths. A period counts minutes or days since 1970, as its measure says.
constexpr std::array steps = {
    sql::Migration{"serve", 1, R"sql(
CREATE TABLE serve_limits (
  subject TEXT NOT NULL,
  measure TEXT NOT NULL,
  amount BIGINT NOT NULL,
  actor TEXT NOT NULL,
  updated BIGINT NOT NULL,
  PRIMARY KEY (subject, measure)
);
CREATE TABLE serve_usage (
  subject TEXT NOT NULL,
  measure TEXT NOT NULL,
  period BIGINT NOT NULL,
  used BIGINT NOT NULL,
  PRIMARY KEY (subject, measure)
);
)sql"},
    // Timeout: of the endpoint itself in milliseconds, alike in all of its rows; 0: none of its own.
    sql::Migration{"serve", 2, R"sql(
CREATE TABLE serve_fallbacks (
  endpoint TEXT NOT NULL,
  position BIGINT NOT NULL,
  kind TEXT NOT NULL,
  target TEXT NOT NULL,
  timeout BIGINT NOT NULL,
  PRIMARY KEY (endpoint, position)
);
)sql"},
    // Languages with commas between; signs as InputRules::Signs counts them.
    sql::Migration{"serve", 3, R"sql(
CREATE TABLE serve_input_rules (
  endpoint TEXT PRIMARY KEY,
  signs BIGINT NOT NULL,
  languages TEXT NOT NULL,
  characters BIGINT NOT NULL
);
)sql"},
    // A stage's JSON, as it is said and shown.
    sql::Migration{"serve", 4, R"sql(
CREATE TABLE serve_guardrails (
  endpoint TEXT NOT NULL,
  position BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (endpoint, position)
);
)sql"},
    // Weekdays as bits from Monday on; minutes of the day; the rule as TZ has it.
    sql::Migration{"serve", 5, R"sql(
CREATE TABLE serve_warm_hours (
  endpoint TEXT NOT NULL,
  position BIGINT NOT NULL,
  weekdays BIGINT NOT NULL,
  begins BIGINT NOT NULL,
  ends BIGINT NOT NULL,
  time_zone TEXT NOT NULL,
  time_rule TEXT NOT NULL,
  replicas BIGINT NOT NULL,
  PRIMARY KEY (endpoint, position)
);
)sql"},
};

}  // namespace

std::span<const sql::Migration> migrations() { return steps; }

}  // namespace holdfast::serve
