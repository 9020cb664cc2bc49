#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/caller.h"
#include "repo/repository.h"
#include "scan/sensitive.h"

namespace holdfast::identity {
class Audit;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

// The kinds of sensitive data that somebody who administers a repository let into it, and why.
struct Clearance {
  std::vector<scan::SensitiveKind> kinds{};
  std::string by{}, reason{};  // Empty where nothing was cleared.
  WallTime at{};
};
Result<Clearance> clearance_of(sql::Database& database, RepoId repository);

// Replaces what it was cleared for, and writes `repo.cleared` to the audit log in the same transaction.
// Whether the caller may is the door's question; bad_request without a reason.
Status clear_for(sql::Database& database, const identity::Audit& audit, const Clock& clock,
                 const identity::Caller& caller, const Repository& repository,
                 std::span<const scan::SensitiveKind> kinds, std::string_view reason);

}  // namespace holdfast::repo
