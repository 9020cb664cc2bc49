#include "repo/audience.h"

#include <fmt/format.h>

#include "repo/repositories.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr int64_t rows_max = 10'000;

int64_t unix_ms(const Clock& clock) { return clock.wall().time_since_epoch().count(); }
WallTime wall(int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

Status count_likes(sql::Transaction& tx, RepoId repository) {
  TRY([[maybe_unused]] const int64_t rows, tx.run("UPDATE repo_repositories SET likes = (SELECT COUNT(*) "
                                                  "FROM repo_likes WHERE repo = ?) WHERE id = ?",
                                                  {repository.raw, repository.raw}));
  return Done{};
}

}  // namespace

std::string_view gate_status_name(GateStatus status) {
  switch (status) {
    case GateStatus::pending:
      return "pending";
    case GateStatus::accepted:
      return "accepted";
    case GateStatus::rejected:
      return "rejected";
  }
  return "";
}

std::optional<GateStatus> gate_status_of_name(std::string_view name) {
  for (const auto status : {GateStatus::pending, GateStatus::accepted, GateStatus::rejected})
    if (gate_status_name(status) == name) return status;
  return std::nullopt;
}

Status Audience::like(const identity::Caller& caller, RepoId repository) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t gone,
        tx.run("DELETE FROM repo_likes WHERE repo = ? AND user_name = ?", {repository.raw, caller.name}));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_likes (repo, user_name, at) VALUES (?, ?, ?)",
               {repository.raw, caller.name, unix_ms(clock_)}));
    return count_likes(tx, repository);
  });
}

Status Audience::unlike(const identity::Caller& caller, RepoId repository) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t gone,
        tx.run("DELETE FROM repo_likes WHERE repo = ? AND user_name = ?", {repository.raw, caller.name}));
    return count_likes(tx, repository);
  });
}

Result<std::vector<Liker>> Audience::likers(RepoId repository) {
  std::vector<Liker> out;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query("SELECT user_name, at FROM repo_likes WHERE repo = ? ORDER BY at DESC LIMIT ?",
                    {repository.raw, rows_max}, [&](const sql::Row& row) {
                      out.push_back({.user = row.text(0), .at = wall(row.integer(1))});
                      return true;
                    });
  }));
  return out;
}

Result<std::vector<Like>> Audience::likes_of(std::string_view user) {
  std::vector<Like> out;
  const std::string query = fmt::format(
      "SELECT {}, (SELECT at FROM repo_likes WHERE repo = id AND user_name = ?) FROM repo_repositories "
      "WHERE id IN (SELECT repo FROM repo_likes WHERE user_name = ?) ORDER BY id DESC LIMIT ?",
      repository_columns);
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(query, {user, user, rows_max}, [&](const sql::Row& row) {
      out.push_back({.repository = read_repository(row), .at = wall(row.integer(13))});
      return true;
    });
  }));
  return out;
}

Result<std::vector<GateRequest>> Audience::requests(RepoId repository, GateStatus status) {
  std::vector<GateRequest> out;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(
        "SELECT user_name, at FROM repo_gate_requests WHERE repo = ? AND status = ? "
        "ORDER BY at DESC LIMIT ?",
        {repository.raw, gate_status_name(status), rows_max}, [&](const sql::Row& row) {
          out.push_back({.user = row.text(0), .status = status, .at = wall(row.integer(1))});
          return true;
        });
  }));
  return out;
}

Result<std::optional<GateStatus>> Audience::status_of(RepoId repository, std::string_view user) {
  std::optional<GateStatus> status;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    status.reset();
    return tx.query("SELECT status FROM repo_gate_requests WHERE repo = ? AND user_name = ?",
                    {repository.raw, user}, [&](const sql::Row& row) {
                      status = gate_status_of_name(row.text(0));
                      return false;
                    });
  }));
  return status;
}

Status Audience::put(RepoId repository, std::string_view user, GateStatus status) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY([[maybe_unused]] const int64_t gone,
        tx.run("DELETE FROM repo_gate_requests WHERE repo = ? AND user_name = ?", {repository.raw, user}));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_gate_requests (repo, user_name, status, at) VALUES (?, ?, ?, ?)",
               {repository.raw, user, gate_status_name(status), unix_ms(clock_)}));
    return Done{};
  });
}

Result<GateStatus> Audience::ask(const identity::Caller& caller, const Repository& repository) {
  if (repository.gate == Gate::none) return fail(Reason::bad_request, "This repository is not gated");
  TRY(const auto before, status_of(repository.id, caller.name));
  if (before) return *before;
  const GateStatus now = repository.gate == Gate::automatic ? GateStatus::accepted : GateStatus::pending;
  TRY_DONE(put(repository.id, caller.name, now));
  return now;
}

Status Audience::handle(RepoId repository, std::string_view user, GateStatus status) {
  TRY(const auto before, status_of(repository, user));
  if (!before) return fail(Code::not_found, "This user did not ask for access");
  if (*before == status)
    return fail(Reason::bad_request, fmt::format("The request is {} already", gate_status_name(status)));
  return put(repository, user, status);
}

Status Audience::grant(RepoId repository, std::string_view user) {
  TRY(const auto before, status_of(repository, user));
  if (before == GateStatus::accepted) return fail(Reason::bad_request, "This user has access already");
  return put(repository, user, GateStatus::accepted);
}

}  // namespace holdfast::repo
