#include "identity/private_reads.h"

#include <fmt/format.h>

#include <chrono>

#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr std::chrono::milliseconds counts_once_in = std::chrono::hours(1);
constexpr size_t what_bytes_max = 200;

Result<bool> is_noted(sql::Transaction& tx, const Caller& caller, std::string_view subject,
                      std::string_view what, int64_t since) {
  bool found = false;
  TRY_DONE(tx.query(
      "SELECT 1 FROM identity_private_reads WHERE reader = ? AND token = ? AND subject = ? AND what = ? "
      "AND at > ?",
      {caller.user.raw, caller.token.raw, subject, what, since}, [&](const sql::Row&) {
        found = true;
        return false;
      }));
  return found;
}

}  // namespace

Status note_private_read(sql::Database& database, const Audit& audit, const Clock& clock,
                         const Caller& caller, std::string_view subject, std::string_view what) {
  what = what.substr(0, what_bytes_max);
  const int64_t now = clock.wall().time_since_epoch().count();
  const int64_t since = now - counts_once_in.count();
  TRY(const bool noted,
      database.read<bool>([&](sql::Transaction& tx) { return is_noted(tx, caller, subject, what, since); }));
  if (noted) return Done{};
  return database.write([&](sql::Transaction& tx) -> Status {
    TRY(const bool meanwhile, is_noted(tx, caller, subject, what, since));
    if (meanwhile) return Done{};
    TRY([[maybe_unused]] const int64_t old,
        tx.run("DELETE FROM identity_private_reads WHERE at <= ?", {since}));
    TRY([[maybe_unused]] const int64_t made,
        tx.run("INSERT INTO identity_private_reads (reader, token, subject, what, at) VALUES (?, ?, ?, ?, ?)",
               {caller.user.raw, caller.token.raw, subject, what, now}));
    return audit.append(
        tx, {.actor = caller.name,
             .action = "repo.read",
             .subject = std::string(subject),
             .details = {{"revision", std::string(what)},
                         {"token", caller.by_session() ? "session" : fmt::format("{}", caller.token.raw)}}});
  });
}

}  // namespace holdfast::identity
