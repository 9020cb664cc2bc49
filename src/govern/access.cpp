#include "govern/access.h"

#include <fmt/format.h>

#include "govern/roles.h"
#include "identity/permission.h"
#include "repo/repositories.h"
#include "repo/rights.h"
#include "sql/database.h"

namespace holdfast::govern {

Result<bool> RegistryAccess::may_see(const identity::Caller& caller, const StoredRecord& stored) const {
  TRY(const auto model, repositories_.find(repo::RepoId{stored.repository}));
  if (model) return rights_.may_see(caller, *model);
  return permission_.may(caller, identity::Right::read,
                         {.kind = identity::EntityKind::model, .ns = stored.record.ns()});
}

Result<StoredRecord> RegistryAccess::seen(sql::Database& database, const identity::Caller& caller,
                                          const std::string& id) const {
  TRY(StoredRecord stored,
      database.read<StoredRecord>([&](sql::Transaction& tx) { return record_named(tx, id); }));
  TRY(const bool visible, may_see(caller, stored));
  if (!visible) return fail(Code::not_found, fmt::format("there is no record '{}'", id));
  return stored;
}

bool RegistryAccess::may_change(const identity::Caller& caller, std::string_view ns) const {
  return caller.environment.empty() &&
         permission_.may(caller, identity::Right::write, {.kind = identity::EntityKind::model, .ns = ns});
}

Status RegistryAccess::check_change(const identity::Caller& caller, std::string_view ns) const {
  if (may_change(caller, ns)) return Done{};
  return fail(Reason::forbidden, fmt::format("The token or its user may not write in {}", ns));
}

Result<StoredRecord> RegistryAccess::changeable(sql::Database& database, const identity::Caller& caller,
                                                const std::string& id) const {
  TRY(StoredRecord stored, seen(database, caller, id));
  TRY_DONE(check_change(caller, stored.record.ns()));
  return stored;
}

Status RegistryAccess::check_operate(sql::Database& database, const identity::Caller& caller,
                                     const StoredRecord& stored) const {
  if (may_change(caller, stored.record.ns())) return Done{};
  if (caller.environment.empty() && caller.role != identity::TokenRole::read) {
    TRY(const auto oncall, database.read<std::optional<Role>>([&](sql::Transaction& tx) {
      return Roles::held(tx, stored.record.ns(), caller.name, "oncall", WallTime{});
    }));
    if (oncall) return Done{};
  }
  return fail(Reason::forbidden, "this is for writers of the record and those on call");
}

}  // namespace holdfast::govern
