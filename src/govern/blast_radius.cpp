#include "govern/blast_radius.h"

#include <algorithm>
#include <map>
#include <set>

#include "repo/hub.h"
#include "repo/revisions.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

constexpr size_t files_max = 100'000;

// Answers for one repository and revision, each once.
class Looker {
 public:
  Looker(repo::Hub& hub, const std::vector<repo::Relative>& holders) : hub_(hub) {
    for (const repo::Relative& each : holders) holders_[each.repository.id.raw] = &each;
  }
  bool knows(int64_t repository) const { return holders_.contains(repository); }
  Result<bool> holds(int64_t repository, const std::string& revision) {
    const auto key = std::pair(repository, revision);
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    TRY(known_[key], look(*holders_.at(repository), revision));
    return known_[key];
  }

 private:
  Result<bool> look(const repo::Relative& holder, const std::string& revision) {
    TRY(const git::Repository objects, hub_.storage.open(holder.repository.id));
    const auto found = repo::find_revision(hub_.publisher, objects, holder.repository.id, revision);
    if (!found.ok()) return true;
    const std::set<std::string> wanted(holder.sha256.begin(), holder.sha256.end());
    TRY(const auto files, hub_.browser.files(holder.repository, objects, found.value().commit, files_max));
    return std::any_of(files.begin(), files.end(), [&](const repo::FileEntry& file) {
      return file.large && wanted.contains(content::to_text(file.large->sha256));
    });
  }

  repo::Hub& hub_;
  std::map<int64_t, const repo::Relative*> holders_;
  std::map<std::pair<int64_t, std::string>, bool> known_;
};

}  // namespace

Result<BlastRadius> blast_radius(sql::Database& database, repo::Hub& hub,
                                 const std::vector<repo::Relative>& holders) {
  Looker looker(hub, holders);
  std::vector<std::pair<int64_t, AffectedRelease>> releases;
  std::vector<std::pair<int64_t, AffectedEndpoint>> endpoints;
  TRY_DONE(database.read([&](sql::Transaction& tx) -> Status {
    releases.clear();
    endpoints.clear();
    TRY_DONE(
        tx.query("SELECT repo, record, number, state, model, revision FROM govern_releases ORDER BY record, "
                 "number",
                 {}, [&](const sql::Row& row) {
                   if (looker.knows(row.integer(0)))
                     releases.push_back({row.integer(0),
                                         {.record = row.text(1),
                                          .state = row.text(3),
                                          .model = row.text(4),
                                          .revision = row.text(5),
                                          .number = row.integer(2)}});
                   return true;
                 }));
    return tx.query(
        "SELECT repo, id, record, model, revision FROM govern_endpoints ORDER BY id", {},
        [&](const sql::Row& row) {
          if (looker.knows(row.integer(0)))
            endpoints.push_back(
                {row.integer(0),
                 {.id = row.text(1), .record = row.text(2), .model = row.text(3), .revision = row.text(4)}});
          return true;
        });
  }));
  BlastRadius out;
  for (auto& [repository, release] : releases) {
    TRY(const bool holds, looker.holds(repository, release.revision));
    if (holds) out.releases.push_back(std::move(release));
  }
  for (auto& [repository, endpoint] : endpoints) {
    const std::string revision = endpoint.revision.empty() ? "main" : endpoint.revision;
    TRY(const bool holds, looker.holds(repository, revision));
    if (holds) out.endpoints.push_back(std::move(endpoint));
  }
  return out;
}

}  // namespace holdfast::govern
