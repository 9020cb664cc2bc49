#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::govern {

// What goes on answering from a repository's pinned revisions when nobody may change it any more.
struct Dependant {
  std::string kind{};  // "release", "endpoint"
  std::string name{};  // "demo/support/1", "demo/support"
  std::string state{}, revision{};
};

// Releases that are approved or were, and endpoints, whose model lies in this repository; at most 1,000.
Result<std::vector<Dependant>> dependants(sql::Database& database, int64_t repository);

}  // namespace holdfast::govern
