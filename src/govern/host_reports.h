#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/audit.h"
#include "identity/caller.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::govern {

// A model or data set that was found on a machine, as `holdfast inventory --report` tells of it.
struct FoundFile {
  std::string path{};
  uint64_t size = 0;
  std::string sha256{};  // Hexadecimal.
};
struct FoundModel {
  bool dataset = false;
  std::string folder{}, source{};  // `source`: "cache", "lock" or "folder".
  std::string claims{};            // "ns/name" or "ns/name@commit" that a cache or a lock file calls it.
  std::vector<FoundFile> files{};
};

// What stands of it, compared with the hub.
struct Judged {
  std::string
      state{};  // "managed", "altered" (only some of its files are the hub's), "unmanaged", "unknown".
  std::string repository{};  // That holds most of its files: "ns/name", "datasets/ns/name".
  size_t files_known = 0;
};
using Holders = std::map<std::string, std::vector<std::string>>;  // By digest: who has it, by address.
// `is_known`: whether the hub has a repository of this address.
Judged judge_found(bool dataset, std::string_view claims, std::span<const std::string> digests,
                   const Holders& holders, const std::function<bool(const std::string&)>& is_known);

struct HostReport {
  std::string host{};
  identity::UserId reporter{};
  std::string reporter_name{};
  WallTime reported{};
  int64_t models = 0;
};

inline constexpr size_t models_of_a_host_max = 2000, files_of_a_host_max = 20'000;

// What machines said lies on them, the newest report of each. Who reported sees it, and who administers the
// instance. app/ owns none: it is made where it is needed. Safe from any thread.
class HostReports {
 public:
  HostReports(sql::Database& database, const identity::Audit& audit, const Clock& clock)
      : database_(database), audit_(audit), clock_(clock) {}

  // In place of what the host said before. `forbidden` where somebody else reported it; quota above 1,000
  // hosts.
  Status put(const identity::Caller& caller, std::string_view host, const std::vector<FoundModel>& models);
  Result<std::vector<HostReport>> list(const identity::Caller& caller);  // By name.
  Result<std::vector<FoundModel>> find(const identity::Caller& caller, std::string_view host);
  Status remove(const identity::Caller& caller, std::string_view host);

 private:
  sql::Database& database_;
  const identity::Audit& audit_;
  const Clock& clock_;
};

}  // namespace holdfast::govern
