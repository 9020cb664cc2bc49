#include "repo/clearance.h"

#include <fmt/format.h>

#include <algorithm>

#include "identity/audit.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr size_t reason_bytes_max = 1000;

}  // namespace

Result<Clearance> clearance_of(sql::Database& database, RepoId repository) {
  Clearance out;
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    out = {};
    return tx.query("SELECT kind, actor, reason, at FROM repo_clearances WHERE repo = ? ORDER BY kind",
                    {repository.raw}, [&](const sql::Row& row) {
                      const auto kind = scan::sensitive_of_name(row.text(0));
                      if (kind) out.kinds.push_back(*kind);
                      out.by = row.text(1);
                      out.reason = row.text(2);
                      out.at = WallTime(std::chrono::milliseconds(row.integer(3)));
                      return true;
                    });
  }));
  return out;
}

Status clear_for(sql::Database& database, const identity::Audit& audit, const Clock& clock,
                 const identity::Caller& caller, const Repository& repository,
                 std::span<const scan::SensitiveKind> kinds, std::string_view reason) {
  if (reason.empty()) return fail(Reason::bad_request, "say why: it is kept in the audit log");
  if (reason.size() > reason_bytes_max) return fail(Reason::bad_request, "'reason' is too long");
  const std::string why(reason);
  std::string listed;
  for (const scan::SensitiveKind kind : kinds)
    listed += fmt::format("{}{}", listed.empty() ? "" : ", ", scan::sensitive_name(kind));
  const int64_t now = clock.wall().time_since_epoch().count();
  return database.write([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.run("DELETE FROM repo_clearances WHERE repo = ?", {repository.id.raw}));
    for (size_t i = 0; i < kinds.size(); ++i) {
      if (std::ranges::find(kinds.first(i), kinds[i]) != kinds.first(i).end()) continue;
      TRY_DONE(tx.run("INSERT INTO repo_clearances (repo, kind, actor, reason, at) VALUES (?, ?, ?, ?, ?)",
                      {repository.id.raw, scan::sensitive_name(kinds[i]), caller.name, why, now}));
    }
    return audit.append(tx,
                        {.actor = caller.name,
                         .action = "repo.cleared",
                         .subject = fmt::format("{}:{}", type_name(repository.type), repository.full_name()),
                         .details = {{"kinds", listed.empty() ? "none" : listed}, {"reason", why}}});
  });
}

}  // namespace holdfast::repo
