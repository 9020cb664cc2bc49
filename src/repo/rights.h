#pragma once

#include <cstdint>

#include "base/result.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast::identity {
class Permission;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

// What a caller may do with a repository: identity's permissions on its namespace and visibility, the
// caller's token scopes, and the repository's gate. Safe from any thread.
class Rights {
 public:
  Rights(identity::Permission& permission, sql::Database& database)
      : permission_(permission), database_(database) {}

  bool may_see(const identity::Caller& caller, const Repository& repository);
  // Sees it and is past its gate.
  Result<bool> may_read_files(const identity::Caller& caller, const Repository& repository);
  bool may_contribute(const identity::Caller& caller, const Repository& repository);
  bool may_write(const identity::Caller& caller, const Repository& repository);
  bool may_administer(const identity::Caller& caller, const Repository& repository);
  // Whether the caller may create repositories in the namespace.
  bool may_create_in(const identity::Caller& caller, std::string_view ns);

 private:
  identity::Permission& permission_;
  sql::Database& database_;
};

}  // namespace holdfast::repo
