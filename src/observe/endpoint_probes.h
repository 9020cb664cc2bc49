#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/database.h"

namespace holdfast::observe {

// A question that the server itself puts to an endpoint without a record. What is right is what was stated,
// or what the same revision answered first.
struct EndpointProbe {
  std::string path{};                // Below the endpoint's address: "v1/embeddings"; empty: its root.
  std::string body{};                // JSON.
  bool stated = false;               // `answer` was given, and holds for every revision; else
  std::string revision{}, answer{};  // this revision gave it. JSON; empty: it was not asked yet.
  friend bool operator==(const EndpointProbe&, const EndpointProbe&) = default;
};
inline constexpr size_t endpoint_probes_max = 8, probe_bytes_max = 64 << 10;

// In the database; callers check who may.
Result<std::vector<EndpointProbe>> read_probes(sql::Database& database, const std::string& endpoint);
Status set_probes(sql::Database& database, const std::string& endpoint,
                  const std::vector<EndpointProbe>& probes);
// Of the first answer of a revision, where the probe is still the same.
Status learn_answer(sql::Database& database, const std::string& endpoint, size_t position,
                    const EndpointProbe& probe);
// The endpoints that have any, sorted.
Result<std::vector<std::string>> probed_endpoints(sql::Database& database);

// Whether an answer says the same: JSON that is equal but for what every answer has of its own (ids, times,
// what it cost) and for numbers' last digits, which another machine may round otherwise. What is stated need
// only be there: members that it does not name are not looked at.
bool says_the_same(std::string_view wanted, bool stated, std::string_view answer);

}  // namespace holdfast::observe
