#pragma once

#include <string_view>

#include "base/result.h"
#include "identity/caller.h"
#include "identity/permission.h"
#include "repo/repository.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

identity::EntityKind entity_kind(RepoType type);

// What a caller may do with a repository: identity's decision, and the repository's gate. Safe from any
// thread.
class Rights {
 public:
  Rights(const identity::Permission& permission, sql::Database& database)
      : permission_(permission), database_(database) {}

  bool may(const identity::Caller& caller, identity::Right right, const Repository& repository) const;
  bool may_see(const identity::Caller& caller, const Repository& repository) const;
  // As a door or a listing asks: what is deleted is there only for tokens that are bound to an environment,
  // which get what is approved and nothing else.
  bool may_find(const identity::Caller& caller, const Repository& repository) const;
  bool may_write(const identity::Caller& caller, const Repository& repository) const;
  bool may_administer(const identity::Caller& caller, const Repository& repository) const;
  // Sees it and is past its gate: writers always are, others when their request was accepted.
  Result<bool> may_read_files(const identity::Caller& caller, const Repository& repository) const;
  bool may_create(const identity::Caller& caller, RepoType type, std::string_view ns,
                  std::string_view name) const;

 private:
  const identity::Permission& permission_;
  sql::Database& database_;
};

// What a caller who is not past the gate is told, in the words clients match.
Error gate_refusal(const Repository& repository, std::string_view base_url);

}  // namespace holdfast::repo
