#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "identity/caller.h"
#include "repo/repository.h"

namespace holdfast::sql {
class Database;
}

namespace holdfast::repo {

struct Like {
  Repository repository;
  WallTime at{};
};
struct Liker {
  std::string user;
  WallTime at{};
};

enum class GateStatus : uint8_t { pending, accepted, rejected };
std::string_view gate_status_name(GateStatus status);
std::optional<GateStatus> gate_status_of_name(std::string_view name);

struct GateRequest {
  std::string user;
  GateStatus status = GateStatus::pending;
  WallTime at{};
};

// Who likes a repository and who asked to pass its gate. Rights are checked by the caller. Safe from any
// thread.
class Audience {
 public:
  Audience(sql::Database& database, const Clock& clock) : database_(database), clock_(clock) {}

  Status like(const identity::Caller& caller, RepoId repository);    // Twice is fine.
  Status unlike(const identity::Caller& caller, RepoId repository);  // Not liked is fine.
  Result<std::vector<Liker>> likers(RepoId repository);              // Newest first, at most 10,000.
  Result<std::vector<Like>> likes_of(std::string_view user);         // Also what the asker may not see.

  Result<std::vector<GateRequest>> requests(RepoId repository, GateStatus status);
  // The user asks: accepted at once behind an automatic gate.
  Result<GateStatus> ask(const identity::Caller& caller, const Repository& repository);
  // bad_request when it has that status already; not_found when the user never asked.
  Status handle(RepoId repository, std::string_view user, GateStatus status);
  // Lets in who did not ask. bad_request when already in.
  Status grant(RepoId repository, std::string_view user);

 private:
  Result<std::optional<GateStatus>> status_of(RepoId repository, std::string_view user);
  Status put(RepoId repository, std::string_view user, GateStatus status);

  sql::Database& database_;
  const Clock& clock_;
};

}  // namespace holdfast::repo
