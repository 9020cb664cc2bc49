#include "repo/held.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "repo/hub.h"

namespace holdfast::repo {
namespace {

constexpr int64_t listed_max = 500, unseen_max = 1000;
constexpr size_t looked_at_max = 16;  // Of those without a verdict, in one question.

struct Row {
  int64_t repository = 0, at = 0;
  std::string commit{};
};

Result<std::vector<Row>> rows_of(sql::Database& database, std::string_view text, int64_t rows_max) {
  std::vector<Row> out;
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(std::string(text), {main_ref, rows_max}, [&](const sql::Row& row) {
      out.push_back({.repository = row.integer(0), .at = row.integer(2), .commit = row.text(1)});
      return true;
    });
  }));
  return out;
}

// Nothing for a repository that is gone, or whose commit cannot be read.
Result<std::optional<HeldRevision>> look(Hub& hub, const Row& row) {
  TRY(const auto repository, hub.repositories.find(RepoId{row.repository}));
  if (!repository) return std::optional<HeldRevision>();
  TRY(const git::Repository objects, hub.storage.open(repository->id));
  TRY(const git::ObjectId commit, git::ObjectId::parse(row.commit));
  TRY(RevisionVerdict verdict, hub.checks.verdict(*repository, objects, commit));
  if (verdict.standing != Standing::held) return std::optional<HeldRevision>();
  return std::optional(HeldRevision{.repository = *repository,
                                    .commit = row.commit,
                                    .since = WallTime(std::chrono::milliseconds(row.at)),
                                    .verdict = std::move(verdict.json)});
}

}  // namespace

Result<HeldRevisions> held_revisions(sql::Database& database, Hub& hub) {
  HeldRevisions out;
  TRY(const auto unseen,
      rows_of(
          database,
          "SELECT r.id, f.target, r.updated FROM repo_repositories r JOIN repo_refs f ON f.repo = r.id AND "
          "f.name = ? LEFT JOIN repo_verdicts v ON v.repo = r.id AND v.commit_oid = f.target WHERE v.repo "
          "IS NULL ORDER BY r.updated DESC LIMIT ?",
          unseen_max));
  out.unseen = unseen.size();
  for (size_t i = 0; i < std::min(unseen.size(), looked_at_max); ++i)
    if (look(hub, unseen[i]).ok()) --out.unseen;  // Its verdict is kept now.
  TRY(const auto held,
      rows_of(
          database,
          "SELECT v.repo, v.commit_oid, MAX(v.at) FROM repo_verdicts v JOIN repo_refs f ON f.repo = v.repo "
          "AND f.target = v.commit_oid AND f.name = ? WHERE v.standing = 'held' GROUP BY v.repo, "
          "v.commit_oid ORDER BY 3 DESC LIMIT ?",
          listed_max));
  for (const Row& row : held) {
    auto found = look(hub, row);
    if (found.ok() && found.value()) out.held.push_back(std::move(*found.value()));
  }
  return out;
}

}  // namespace holdfast::repo
