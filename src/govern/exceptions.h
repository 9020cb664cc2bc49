#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "govern/access.h"
#include "govern/decisions.h"
#include "govern/rows.h"

namespace holdfast::govern {

class Releases;

inline constexpr std::chrono::hours exception_span_max{30 * 24};

// Dated exceptions: two named people let a release into the canary that its gates would not, until a time.
// Shown wherever the record is. Safe from any thread.
class Exceptions {
 public:
  Exceptions(sql::Database& database, const RegistryAccess& access, const Decisions& decisions,
             const Releases& releases)
      : database_(database), access_(access), decisions_(decisions), releases_(releases) {}

  Result<Exception> propose(const identity::Caller& caller, const std::string& record, int64_t release,
                            std::string_view reason, WallTime expires);
  // By another person, who holds a role in the namespace.
  Result<Exception> confirm(const identity::Caller& caller, int64_t id, std::string_view reason);
  Result<Exception> end(const identity::Caller& caller, int64_t id, std::string_view reason);
  Result<std::vector<Exception>> list(const identity::Caller& caller, const std::string& record) const;
  // Those whose time is over: a canary under one is rolled back. Returns how many.
  Result<int64_t> expire();

 private:
  sql::Database& database_;
  const RegistryAccess& access_;
  const Decisions& decisions_;
  const Releases& releases_;
};

}  // namespace holdfast::govern
