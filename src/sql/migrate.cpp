#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "sql/database.h"
#include "sql/statement_text.h"

namespace holdfast::sql {
namespace {

constexpr std::string_view table = R"sql(
CREATE TABLE IF NOT EXISTS sql_migrations (
  room TEXT NOT NULL,
  number BIGINT NOT NULL,
  digest TEXT NOT NULL,
  applied_at_ms BIGINT NOT NULL,
  PRIMARY KEY (room, number)
))sql";

// FNV-1a, 64 bits: finds a step that was edited after it landed; nobody attacks it.
std::string digest_of(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return fmt::format("{:016x}", hash);
}

using Applied = std::map<std::pair<std::string, int64_t>, std::string>;  // (room, number) → digest

Result<Applied> read_applied(Transaction& tx) {
  Applied applied;
  TRY_DONE(tx.query("SELECT room, number, digest FROM sql_migrations", {}, [&](const Row& row) {
    applied.emplace(std::pair(row.text(0), row.integer(1)), row.text(2));
    return true;
  }));
  return applied;
}

Status check_numbers(std::span<const Migration> migrations) {
  std::map<std::string_view, int> last;
  for (const Migration& step : migrations)
    if (step.number != ++last[step.room])
      return fail(Code::internal, fmt::format("the migrations of {} are not numbered 1, 2, 3 …", step.room));
  return Done{};
}

Status check_not_newer(const Applied& applied, std::span<const Migration> migrations) {
  std::map<std::string_view, int64_t> known;
  for (const Migration& step : migrations)
    known[step.room] = std::max<int64_t>(known[step.room], step.number);
  for (const auto& [key, digest] : applied)
    if (const auto room = known.find(key.first); room != known.end() && key.second > room->second)
      return fail(Code::unavailable,
                  fmt::format("the database is newer than this program: it has step {} of {}, the program "
                              "knows {}",
                              key.second, key.first, room->second));
  return Done{};
}

// Applies the step unless another process did so meanwhile.
Status apply(Transaction& tx, Engine engine, const Migration& step, int64_t now_unix_ms) {
  TRY(const Applied applied, read_applied(tx));
  if (applied.contains({std::string(step.room), step.number})) return Done{};
  for (const std::string& statement : split_statements(engine_spelling(engine, step.sql)))
    TRY_DONE(tx.run(statement));
  return [&]() -> Status {
    TRY([[maybe_unused]] int64_t rows,
        tx.run("INSERT INTO sql_migrations (room, number, digest, applied_at_ms) VALUES (?, ?, ?, ?)",
               {step.room, int64_t{step.number}, std::string_view(digest_of(step.sql)), now_unix_ms}));
    return Done{};
  }();
}

}  // namespace

Status migrate(Database& database, std::span<const Migration> migrations, int64_t now_unix_ms) {
  TRY_DONE(check_numbers(migrations));
  Applied applied;
  const std::function<Status(Transaction&)> begin = [&](Transaction& tx) -> Status {
    TRY_DONE(tx.run(table));
    TRY(applied, read_applied(tx));
    return check_not_newer(applied, migrations);
  };
  TRY_DONE(database.write(begin));
  for (const Migration& step : migrations) {
    const auto found = applied.find({std::string(step.room), step.number});
    if (found == applied.end()) {
      const std::function<Status(Transaction&)> work = [&](Transaction& tx) {
        return apply(tx, database.engine(), step, now_unix_ms);
      };
      TRY_DONE(database.write(work));
    } else if (found->second != digest_of(step.sql)) {
      return fail(Code::unavailable,
                  fmt::format("step {} of {} in the database is not the one this program knows", step.number,
                              step.room));
    }
  }
  return Done{};
}

}  // namespace holdfast::sql
