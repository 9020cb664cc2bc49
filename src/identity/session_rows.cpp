#include "identity/session_rows.h"

#include <charconv>
#include <string>

#include "identity/sessions.h"
#include "sql/database.h"

namespace holdfast::identity {
namespace {

int64_t unix_ms(WallTime time) { return time.time_since_epoch().count(); }
WallTime wall_of(int64_t milliseconds) { return WallTime{std::chrono::milliseconds{milliseconds}}; }

// "3 17 4": ids with spaces between them.
std::string people_text(const std::vector<UserId>& people) {
  std::string text;
  for (const UserId id : people) text += (text.empty() ? "" : " ") + std::to_string(id.raw);
  return text;
}

Result<std::vector<UserId>> people_of(std::string_view text) {
  std::vector<UserId> people;
  while (!text.empty() && people.size() < session_people_max) {
    UserId id;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.raw);
    if (error != std::errc{}) return fail(Reason::data_corrupt, "a stored session has no list of people");
    people.push_back(id);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.starts_with(' ')) text.remove_prefix(1);
  }
  return people;
}

}  // namespace

Result<std::optional<SessionRow>> session_of_digest(sql::Transaction& tx, const TokenDigest& digest) {
  std::optional<SessionRow> found;
  std::string people;
  TRY_DONE(tx.query(
      "SELECT id, owner, people, created, expires, last_used FROM identity_sessions WHERE digest = ?",
      {ByteView(digest)}, [&](const sql::Row& row) {
        people = row.text(2);
        found = SessionRow{.id = row.integer(0),
                           .owner = UserId{row.integer(1)},
                           .created = wall_of(row.integer(3)),
                           .expires = wall_of(row.integer(4)),
                           .last_used = wall_of(row.integer(5))};
        return false;
      }));
  if (found) {
    TRY(found->people, people_of(people));
  }
  return found;
}

Status insert_session(sql::Transaction& tx, const TokenDigest& digest, SessionRow& row, size_t of_owner_max) {
  const std::string people = people_text(row.people);
  TRY_DONE(tx.run("DELETE FROM identity_sessions WHERE expires <= ?", {unix_ms(row.created)}));
  TRY_DONE(
      tx.query("INSERT INTO identity_sessions (digest, owner, people, created, expires, last_used) "
               "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
               {ByteView(digest), row.owner.raw, std::string_view(people), unix_ms(row.created),
                unix_ms(row.expires), unix_ms(row.last_used)},
               [&](const sql::Row& made) {
                 row.id = made.integer(0);
                 return true;
               }));
  TRY_DONE(
      tx.run("DELETE FROM identity_sessions WHERE owner = ? AND id NOT IN "
             "(SELECT id FROM identity_sessions WHERE owner = ? ORDER BY id DESC LIMIT ?)",
             {row.owner.raw, row.owner.raw, static_cast<int64_t>(of_owner_max)}));
  return Done{};
}

Status insert_link(sql::Transaction& tx, const TokenDigest& digest, const std::vector<UserId>& people,
                   WallTime now, WallTime expires) {
  const std::string text = people_text(people);
  TRY_DONE(tx.run("DELETE FROM identity_sign_in_links WHERE expires <= ?", {unix_ms(now)}));
  TRY_DONE(tx.run("INSERT INTO identity_sign_in_links (digest, people, created, expires) VALUES (?, ?, ?, ?)",
                  {ByteView(digest), std::string_view(text), unix_ms(now), unix_ms(expires)}));
  return Done{};
}

Result<std::optional<std::vector<UserId>>> take_link(sql::Transaction& tx, const TokenDigest& digest,
                                                     WallTime now) {
  std::optional<std::string> people;
  TRY_DONE(tx.query("DELETE FROM identity_sign_in_links WHERE digest = ? AND expires > ? RETURNING people",
                    {ByteView(digest), unix_ms(now)}, [&](const sql::Row& row) {
                      people = row.text(0);
                      return true;
                    }));
  if (!people) return std::optional<std::vector<UserId>>();
  TRY(std::vector<UserId> ids, people_of(*people));
  return std::optional(std::move(ids));
}

}  // namespace holdfast::identity
