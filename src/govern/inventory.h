#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/caller.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::govern {

struct Registry;

// What one model or data set is used for, and when it was last judged.
struct Use {
  std::vector<std::string> by{};  // "release NS/RECORD/3 (deployed)", "endpoint NS/NAME", "evaluation of …".
  WallTime evaluated{};           // The newest evaluation of any of its releases; the epoch: never.
  std::string evaluation{};       // Which release that was, "NS/RECORD/3".
};
struct Uses {
  std::map<int64_t, Use> models{};         // By repository.
  std::map<std::string, Use> data_sets{};  // By name, "ns/name".
};

// All that live releases and endpoints use, as far as the caller sees the records and endpoints.
Result<Uses> uses_seen_by(Registry& registry, sql::Database& database, const identity::Caller& caller);

// Which of the hub's repositories hold a file with these bytes, by SHA-256 in hexadecimal; at most
// holders_max of each. Whether the asker may see them is the caller's question.
inline constexpr int64_t holders_max = 50;
Result<std::map<std::string, std::vector<int64_t>>> holders_of(sql::Database& database,
                                                               const std::vector<std::string>& sha256);

}  // namespace holdfast::govern
