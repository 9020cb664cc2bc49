#include "repo/tombstones.h"

#include <fmt/format.h>

#include "repo/repositories.h"
#include "sql/database.h"

namespace holdfast::repo {
namespace {

constexpr std::string_view columns = "type, ns, name, visibility, creator, actor, at";

Tombstone read_tombstone(const sql::Row& row) {
  Tombstone out;
  out.was.type = type_of_name(row.text(0)).value_or(RepoType::model);
  out.was.ns = row.text(1);
  out.was.name = row.text(2);
  out.was.visibility = visibility_of_name(row.text(3)).value_or(Visibility::private_);
  out.was.creator = row.text(4);
  out.by = row.text(5);
  out.at = WallTime(std::chrono::milliseconds(row.integer(6)));
  return out;
}

}  // namespace

Status clear_tombstone(sql::Transaction& tx, std::string_view place) {
  TRY([[maybe_unused]] const int64_t rows, tx.run("DELETE FROM repo_tombstones WHERE place = ?", {place}));
  return Done{};
}

Status bury(sql::Transaction& tx, const Repository& repository, std::string_view by, WallTime at) {
  std::vector<std::string> places{place_of(repository.type, repository.ns, repository.name)};
  TRY_DONE(tx.query("SELECT place FROM repo_redirects WHERE repo = ?", {repository.id.raw},
                    [&](const sql::Row& row) {
                      places.push_back(row.text(0));
                      return true;
                    }));
  for (const std::string& place : places) {
    TRY_DONE(clear_tombstone(tx, place));
    TRY([[maybe_unused]] const int64_t rows,
        tx.run("INSERT INTO repo_tombstones (place, type, ns, name, visibility, creator, actor, at) "
               "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               {place, type_name(repository.type), repository.ns, repository.name,
                visibility_name(repository.visibility), repository.creator, by,
                int64_t{at.time_since_epoch().count()}}));
  }
  return Done{};
}

Result<std::optional<Tombstone>> find_tombstone(sql::Database& database, RepoType type, std::string_view ns,
                                                std::string_view name) {
  std::optional<Tombstone> out;
  const std::string query = fmt::format("SELECT {} FROM repo_tombstones WHERE place = ?", columns);
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    out.reset();
    return tx.query(query, {place_of(type, ns, name)}, [&](const sql::Row& row) {
      out = read_tombstone(row);
      return false;
    });
  }));
  return out;
}

Result<std::vector<Tombstone>> tombstones(sql::Database& database) {
  std::vector<Tombstone> out;
  const std::string query =
      fmt::format("SELECT {} FROM repo_tombstones ORDER BY at DESC, place LIMIT 1000", columns);
  TRY_DONE(database.read([&](sql::Transaction& tx) {
    out.clear();
    return tx.query(query, {}, [&](const sql::Row& row) {
      out.push_back(read_tombstone(row));
      return true;
    });
  }));
  return out;
}

Error deleted_error(std::string_view full_name, const std::optional<WallTime>& at) {
  return fail(Reason::repo_not_found,
              at ? fmt::format("Repository {} was deleted on {}", full_name, format_time(*at))
                 : fmt::format("Repository {} was deleted", full_name));
}

}  // namespace holdfast::repo
