#include "repo/recheck.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "identity/audit.h"
#include "repo/hub.h"
#include "scan/rules_version.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr int64_t keys_a_version = 64;  // Checks::rules_key: a version and the policies.

struct Head {
  int64_t repository = 0;
  std::string commit, before;
};

}  // namespace

Result<size_t> Recheck::some(size_t repositories_max) {
  std::vector<Head> heads;
  TRY_DONE(database_.read([&](sql::Transaction& tx) {
    heads.clear();
    return tx.query(
        "SELECT r.repo, r.target, (SELECT v.standing FROM repo_verdicts v WHERE v.repo = r.repo AND "
        "v.commit_oid = r.target ORDER BY v.rules DESC LIMIT 1) FROM repo_refs r WHERE r.name = ? AND "
        "r.repo > ? AND NOT EXISTS (SELECT 1 FROM repo_verdicts v WHERE v.repo = r.repo AND v.commit_oid = "
        "r.target AND v.rules >= ?) ORDER BY r.repo LIMIT ?",
        {main_ref, passed_, scan::rules_version * keys_a_version, static_cast<int64_t>(repositories_max)},
        [&](const sql::Row& row) {
          heads.push_back({row.integer(0), row.text(1), row.is_null(2) ? "" : row.text(2)});
          return true;
        });
  }));
  for (const Head& head : heads) {
    passed_ = head.repository;
    TRY(const auto repository, hub_.repositories.find(RepoId{head.repository}));
    if (!repository) continue;
    const auto objects = hub_.storage.open(repository->id);
    const auto commit = git::ObjectId::parse(head.commit);
    if (!objects.ok() || !commit.ok()) continue;
    const auto verdict = hub_.checks.verdict(*repository, objects.value(), commit.value());
    if (!verdict.ok()) continue;
    const std::string now(standing_name(verdict.value().standing));
    if (now == head.before || (head.before.empty() && verdict.value().standing != Standing::held)) continue;
    identity::AuditEntry entry{
        .actor = "(scan)",
        .action = "repo.verdict_changed",
        .subject = fmt::format("{}:{}", type_name(repository->type), repository->full_name()),
        .details = {{"before", head.before},
                    {"commit", head.commit},
                    {"now", now},
                    {"rules", std::to_string(scan::rules_version)}}};
    if (!verdict.value().reasons.empty())
      entry.details.emplace_back("why", verdict.value().reasons.front().substr(0, 300));
    TRY_DONE(database_.write([&](sql::Transaction& tx) { return audit_.append(tx, entry); }));
  }
  return heads.size();
}

}  // namespace holdfast::repo
