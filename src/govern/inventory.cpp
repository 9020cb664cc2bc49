#include "govern/inventory.h"

#include <fmt/format.h>

#include <set>

#include "govern/registry.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

std::string name_of(const Release& release) { return fmt::format("{}/{}", release.record, release.number); }

// The newest evaluation of each model among the records of `seen`.
Status add_evaluations(sql::Database& database, const std::set<std::string>& seen, Uses& uses) {
  return database.read([&](sql::Transaction& tx) {
    return tx.query(
        "SELECT r.repo, r.record, r.number, MAX(e.at) FROM govern_evidence e JOIN govern_releases r ON "
        "r.record = e.record AND r.number = e.release WHERE e.kind = 'evaluation' GROUP BY r.repo, r.record, "
        "r.number",
        {}, [&](const sql::Row& row) {
          Use& use = uses.models[row.integer(0)];
          const WallTime at = WallTime(std::chrono::milliseconds(row.integer(3)));
          if (!seen.contains(row.text(1)) || at <= use.evaluated) return true;
          use.evaluated = at;
          use.evaluation = fmt::format("{}/{}", row.text(1), row.integer(2));
          return true;
        });
  });
}

}  // namespace

Result<Uses> uses_seen_by(Registry& registry, sql::Database& database, const identity::Caller& caller) {
  Uses uses;
  std::set<std::string> seen;
  TRY(const auto live, registry.live.look());
  for (const Governed& governed : live->records) {
    TRY(const bool may_see, registry.access.may_see(caller, governed.stored));
    if (!may_see) continue;
    seen.insert(governed.stored.record.id);
    for (const Release& release : governed.releases)
      if (is_live(release.state))
        uses.models[release.repository].by.push_back(
            fmt::format("release {} ({})", name_of(release), state_name(release.state)));
    for (const JudgedOn& data : governed.judged_on)
      uses.data_sets[data.dataset].by.push_back(
          fmt::format("evaluation of {}/{}", governed.stored.record.id, data.release));
  }
  TRY(const auto endpoints, registry.endpoints.list(caller));
  for (const Endpoint& endpoint : endpoints) {
    if (endpoint.record.empty()) {
      uses.models[endpoint.repository].by.push_back("endpoint " + endpoint.id);
      continue;
    }
    const Governed* governed = live->named(endpoint.record);
    if (governed == nullptr || !seen.contains(endpoint.record)) continue;
    std::set<int64_t> answering;
    for (const Release& release : governed->releases)
      if (is_live(release.state)) answering.insert(release.repository);
    for (const int64_t repository : answering)
      uses.models[repository].by.push_back("endpoint " + endpoint.id);
  }
  TRY_DONE(add_evaluations(database, seen, uses));
  return uses;
}

Result<std::map<std::string, std::vector<int64_t>>> holders_of(sql::Database& database,
                                                               const std::vector<std::string>& sha256) {
  std::map<std::string, std::vector<int64_t>> holders;
  TRY_DONE(database.read([&](sql::Transaction& tx) -> Status {
    holders.clear();
    for (const std::string& each : sha256)
      TRY_DONE(tx.query("SELECT repo FROM repo_objects WHERE sha256 = ? ORDER BY repo LIMIT ?",
                        {each, holders_max}, [&](const sql::Row& row) {
                          holders[each].push_back(row.integer(0));
                          return true;
                        }));
    return Done{};
  }));
  return holders;
}

}  // namespace holdfast::govern
