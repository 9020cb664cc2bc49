#include "repo/held_release.h"

#include <fmt/format.h>

#include "identity/audit.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr size_t reason_bytes_max = 1000;

WallTime time_of(int64_t milliseconds) { return WallTime(std::chrono::milliseconds(milliseconds)); }

Result<std::optional<HeldRelease>> find(sql::Transaction& tx, RepoId repository,
                                        const git::ObjectId& commit) {
  std::optional<HeldRelease> found;
  TRY_DONE(tx.query(
      "SELECT state, actor, reason, at, confirmed_by, confirmed_at FROM repo_held_releases WHERE repo "
      "= ? AND commit_oid = ?",
      {repository.raw, commit.hex()}, [&](const sql::Row& row) {
        found = {
            .state = row.text(0) == "released" ? HeldRelease::State::released : HeldRelease::State::proposed,
            .by = row.text(1),
            .reason = row.text(2),
            .at = time_of(row.integer(3)),
            .confirmed_by = row.text(4),
            .confirmed_at = time_of(row.integer(5))};
        return false;
      }));
  return found;
}

}  // namespace

std::string_view held_release_name(HeldRelease::State state) {
  switch (state) {
    case HeldRelease::State::proposed:
      return "proposed";
    case HeldRelease::State::released:
      return "released";
  }
  return "";
}

Result<std::optional<HeldRelease>> held_release_of(sql::Database& database, RepoId repository,
                                                   const git::ObjectId& commit) {
  return database.read<std::optional<HeldRelease>>(
      [&](sql::Transaction& tx) { return find(tx, repository, commit); });
}

Result<HeldRelease> release_held(const HeldReleaseParts& parts, const identity::Caller& caller,
                                 const Repository& repository, const git::ObjectId& commit,
                                 std::string_view reason) {
  using State = HeldRelease::State;
  if (reason.empty()) return fail(Reason::bad_request, "say why: it is kept in the audit log");
  if (reason.size() > reason_bytes_max) return fail(Reason::bad_request, "'reason' is too long");
  const std::string why(reason);
  const WallTime now = parts.clock.wall();
  const int64_t at = now.time_since_epoch().count();
  HeldRelease out;
  TRY_DONE(parts.database.write([&](sql::Transaction& tx) -> Status {
    TRY(const auto known, find(tx, repository.id, commit));
    if (known && known->state == State::released)
      return fail(Code::conflict, fmt::format("{} released it already", known->by));
    if (known && known->by == caller.name)
      return fail(Code::conflict, "you proposed it: another person has to confirm");
    if (known) {
      out = *known;
      out.state = State::released;
      out.confirmed_by = caller.name;
      out.confirmed_at = now;
      TRY_DONE(
          tx.run("UPDATE repo_held_releases SET state = 'released', confirmed_by = ?, confirmed_at = ? "
                 "WHERE repo = ? AND commit_oid = ?",
                 {caller.name, at, repository.id.raw, commit.hex()}));
    } else {
      const bool alone = parts.people == ReleasePeople::one;
      out = {.state = alone ? State::released : State::proposed, .by = caller.name, .reason = why, .at = now};
      TRY_DONE(
          tx.run("INSERT INTO repo_held_releases (repo, commit_oid, state, actor, reason, at) VALUES (?, ?, "
                 "?, ?, ?, "
                 "?)",
                 {repository.id.raw, commit.hex(), held_release_name(out.state), caller.name, why, at}));
    }
    return parts.audit.append(
        tx, {.actor = caller.name,
             .action = out.state == State::released ? "repo.held_released" : "repo.release_proposed",
             .subject = fmt::format("{}:{}", type_name(repository.type), repository.full_name()),
             .details = {{"commit", commit.hex()}, {"proposed_by", out.by}, {"reason", why}}});
  }));
  return out;
}

}  // namespace holdfast::repo
