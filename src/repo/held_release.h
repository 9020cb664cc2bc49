#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "git/object_id.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast::identity {
class Audit;
}
namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

enum class ReleasePeople : uint8_t { one, two };

// That somebody let a revision go on which the checks hold: of this commit alone, whatever comes next is held
// again. Where the policy asks for two people, the first proposes and another one confirms.
struct HeldRelease {
  enum class State : uint8_t { proposed, released } state = State::proposed;
  std::string by{}, reason{};
  WallTime at{};
  std::string confirmed_by{};  // Empty where one person was enough.
  WallTime confirmed_at{};
};
std::string_view held_release_name(HeldRelease::State state);

Result<std::optional<HeldRelease>> held_release_of(sql::Database& database, RepoId repository,
                                                   const git::ObjectId& commit);

struct HeldReleaseParts {
  sql::Database& database;
  const identity::Audit& audit;
  const Clock& clock;
  ReleasePeople people = ReleasePeople::one;
};
// Writes `repo.release_proposed` or `repo.held_released` to the audit log in the same transaction. Whether it
// is held, and whether the caller may, are the door's questions. conflict where it was released before, or
// for the second call of one person where two are asked for.
Result<HeldRelease> release_held(const HeldReleaseParts& parts, const identity::Caller& caller,
                                 const Repository& repository, const git::ObjectId& commit,
                                 std::string_view reason);

}  // namespace holdfast::repo
