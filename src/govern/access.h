#pragma once

#include "base/result.h"
#include "govern/rows.h"
#include "identity/caller.h"

namespace holdfast::identity {
class Permission;
}
namespace holdfast::repo {
class Repositories;
class Rights;
}  // namespace holdfast::repo
namespace holdfast::sql {
class Database;
}

namespace holdfast::govern {

// Who sees and changes what in the registry. A record is seen by those who see its model; it is changed by
// those who may write in its namespace and to its model. A token that is bound to an environment changes
// nothing. Safe from any thread; borrows all it is given.
class RegistryAccess {
 public:
  RegistryAccess(const identity::Permission& permission, const repo::Rights& rights,
                 repo::Repositories& repositories)
      : permission_(permission), rights_(rights), repositories_(repositories) {}

  // The record, or not_found as if it did not exist.
  Result<StoredRecord> seen(sql::Database& database, const identity::Caller& caller,
                            const std::string& id) const;
  Result<bool> may_see(const identity::Caller& caller, const StoredRecord& stored) const;
  bool may_change(const identity::Caller& caller, std::string_view ns) const;
  // forbidden
  Status check_change(const identity::Caller& caller, std::string_view ns) const;
  // The record, when the caller may also change it.
  Result<StoredRecord> changeable(sql::Database& database, const identity::Caller& caller,
                                  const std::string& id) const;
  // A writer, or in the role oncall: stops and returns things.
  Status check_operate(sql::Database& database, const identity::Caller& caller,
                       const StoredRecord& stored) const;

 private:
  const identity::Permission& permission_;
  const repo::Rights& rights_;
  repo::Repositories& repositories_;
};

}  // namespace holdfast::govern
