#include "identity/account_rows.h"

#include <fmt/format.h>

#include "identity/names.h"
#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr std::string_view select_users =
    "SELECT id, name, fullname, email, admin, disabled, CASE WHEN password = '' THEN 0 ELSE 1 END, created "
    "FROM identity_users ";
constexpr std::string_view select_organisations =
    "SELECT id, name, fullname, default_visibility, created FROM identity_organisations ";

WallTime wall_time(int64_t unix_ms) { return WallTime{std::chrono::milliseconds{unix_ms}}; }

User user_of(const sql::Row& row) {
  return User{.id = UserId{row.integer(0)},
              .name = row.text(1),
              .fullname = row.text(2),
              .email = row.text(3),
              .kind = row.integer(4) != 0 ? UserKind::administrator : UserKind::ordinary,
              .disabled = row.integer(5) != 0,
              .has_password = row.integer(6) != 0,
              .created = wall_time(row.integer(7))};
}

Organisation organisation_of(const sql::Row& row) {
  return Organisation{.id = OrganisationId{row.integer(0)},
                      .name = row.text(1),
                      .fullname = row.text(2),
                      .default_visibility = visibility_of(row.text(3)),
                      .created = wall_time(row.integer(4))};
}

template <class Account>
Result<std::vector<Account>> select(sql::Transaction& tx, std::string_view from, std::string_view where,
                                    sql::Value value, Account (*read)(const sql::Row&)) {
  std::vector<Account> accounts;
  TRY_DONE(tx.query(fmt::format("{}{}", from, where), {value}, [&](const sql::Row& row) {
    accounts.push_back(read(row));
    return true;
  }));
  return accounts;
}

}  // namespace

std::string_view visibility_name(Visibility visibility) {
  return visibility == Visibility::public_ ? "public" : "private";
}
Visibility visibility_of(std::string_view name) {
  return name == "public" ? Visibility::public_ : Visibility::private_;
}

Result<User> user_named(sql::Transaction& tx, std::string_view name) {
  const std::string key = lower_case(name);
  TRY(std::vector<User> found,
      select(tx, select_users, "WHERE name_key = ?", std::string_view(key), user_of));
  if (found.empty()) return fail(Code::not_found, fmt::format("there is no user '{}'", name));
  return std::move(found.front());
}

Result<User> user_numbered(sql::Transaction& tx, UserId id) {
  TRY(std::vector<User> found, select(tx, select_users, "WHERE id = ?", id.raw, user_of));
  if (found.empty()) return fail(Code::not_found, "there is no such user");
  return std::move(found.front());
}

Result<std::vector<User>> all_users(sql::Transaction& tx) {
  return select(tx, select_users, "ORDER BY name_key LIMIT ?", accounts_listed_max, user_of);
}

Result<Organisation> organisation_named(sql::Transaction& tx, std::string_view name) {
  const std::string key = lower_case(name);
  TRY(std::vector<Organisation> found,
      select(tx, select_organisations, "WHERE name_key = ?", std::string_view(key), organisation_of));
  if (found.empty()) return fail(Code::not_found, fmt::format("there is no organisation '{}'", name));
  return std::move(found.front());
}

Result<std::vector<Organisation>> all_organisations(sql::Transaction& tx) {
  return select(tx, select_organisations, "ORDER BY name_key LIMIT ?", accounts_listed_max, organisation_of);
}

Result<std::vector<Membership>> memberships_of(sql::Transaction& tx, UserId user, size_t rows_max) {
  std::vector<Membership> memberships;
  TRY_DONE(
      tx.query("SELECT o.id, o.name, m.role FROM identity_members m JOIN identity_organisations o "
               "ON o.id = m.organisation WHERE m.member = ? ORDER BY o.name_key LIMIT ?",
               {user.raw, static_cast<int64_t>(rows_max)}, [&](const sql::Row& row) {
                 // A word that this program does not know gives the least.
                 const OrgRole role = org_role_of(row.text(2)).value_or(OrgRole::read);
                 memberships.push_back({OrganisationId{row.integer(0)}, row.text(1), role});
                 return true;
               }));
  return memberships;
}

Status take_name(sql::Transaction& tx, std::string_view name, std::string_view kind) {
  TRY(const int64_t taken,
      tx.run("INSERT INTO identity_names (name_key, kind) VALUES (?, ?) ON CONFLICT DO NOTHING",
             {std::string_view(lower_case(name)), kind}));
  if (taken == 0) return fail(Reason::already_exists, fmt::format("the name '{}' is taken", name));
  return Done{};
}

}  // namespace holdfast::identity
