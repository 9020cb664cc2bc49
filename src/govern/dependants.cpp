#include "govern/dependants.h"

#include <fmt/format.h>

#include "sql/database.h"

namespace holdfast::govern {

Result<std::vector<Dependant>> dependants(sql::Database& database, int64_t repository) {
  std::vector<Dependant> out;
  TRY_DONE(database.read([&](sql::Transaction& tx) -> Status {
    out.clear();
    // A release that was followed by another is what a rollback goes to.
    TRY_DONE(
        tx.query("SELECT record, number, state, revision FROM govern_releases WHERE repo = ? AND state IN "
                 "('approved', 'canary', 'deployed', 'deprecated') ORDER BY record, number LIMIT 500",
                 {repository}, [&](const sql::Row& row) {
                   out.push_back({.kind = "release",
                                  .name = fmt::format("{}/{}", row.text(0), row.integer(1)),
                                  .state = row.text(2),
                                  .revision = row.text(3)});
                   return true;
                 }));
    return tx.query(
        "SELECT id, revision FROM govern_endpoints WHERE repo = ? ORDER BY id LIMIT 500", {repository},
        [&](const sql::Row& row) {
          out.push_back(
              {.kind = "endpoint", .name = row.text(0), .state = "running", .revision = row.text(1)});
          return true;
        });
  }));
  return out;
}

}  // namespace holdfast::govern
