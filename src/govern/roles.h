#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "govern/decisions.h"
#include "identity/caller.h"

namespace holdfast::identity {
class Accounts;
class Permission;
}  // namespace holdfast::identity

namespace holdfast::govern {

struct Role {
  int64_t id = 0;
  std::string ns{}, user{}, role{}, state{};  // proposed, granted, withdrawn
  std::string proposed_by{}, confirmed_by{};
  WallTime at{};
  bool newcomer = false;  // Granted less than 30 days ago.
};

inline constexpr std::chrono::hours newcomer_span{30 * 24};

// Who may approve what in a namespace. One administrator proposes, a second one confirms; neither is the one
// who gets the role. Safe from any thread.
class Roles {
 public:
  Roles(sql::Database& database, const identity::Permission& permission, identity::Accounts& accounts,
        const Decisions& decisions)
      : database_(database), permission_(permission), accounts_(accounts), decisions_(decisions) {}

  Result<Role> propose(const identity::Caller& caller, std::string_view ns, std::string_view user,
                       std::string_view role);
  Result<Role> confirm(const identity::Caller& caller, std::string_view ns, int64_t id);
  Result<Role> withdraw(const identity::Caller& caller, std::string_view ns, int64_t id);
  Result<std::vector<Role>> list(std::string_view ns);

  // The granted role, if the user has it.
  static Result<std::optional<Role>> held(sql::Transaction& tx, std::string_view ns, std::string_view user,
                                          std::string_view role, WallTime now);
  static Result<bool> holds_any(sql::Transaction& tx, std::string_view ns, std::string_view user);

 private:
  Status check_administrator(const identity::Caller& caller, std::string_view ns) const;
  Result<Role> step(const identity::Caller& caller, std::string_view ns, int64_t id, std::string_view to);

  sql::Database& database_;
  const identity::Permission& permission_;
  identity::Accounts& accounts_;
  const Decisions& decisions_;
};

}  // namespace holdfast::govern
