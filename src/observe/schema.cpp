#include "observe/schema.h"

#include <array>

namespace holdfast::observe {
namespace {

// The body is DriftBook's state: numbers, labels and keyed digests of words, no text.
constexpr std::array steps = {
    sql::Migration{"observe", 1, R"sql(
CREATE TABLE observe_drift (
  record TEXT PRIMARY KEY,
  body TEXT NOT NULL
);
)sql"},
};

}  // namespace

std::span<const sql::Migration> migrations() { return steps; }

}  // namespace holdfast::observe
