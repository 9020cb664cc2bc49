#include "identity/accounts.h"

#include <fmt/format.h>

#include <algorithm>

#include "identity/account_rows.h"
#include "identity/generation.h"
#include "identity/names.h"
#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr size_t fullname_bytes_max = 200, email_bytes_max = 254;

Status check_email(std::string_view email) {
  TRY_DONE(check_display_text(email, email_bytes_max, "e-mail address"));
  const size_t at = email.find('@');
  if (!email.empty() && (at == 0 || at == std::string_view::npos || at + 1 == email.size()))
    return fail(Reason::bad_request, "an e-mail address is name@host");
  return Done{};
}

}  // namespace

Status Accounts::check_new_name(std::string_view name) const {
  TRY_DONE(check_account_name(name));
  const auto& reserved = options_.reserved_names;
  if (std::any_of(reserved.begin(), reserved.end(),
                  [&](const auto& word) { return equal_names(word, name); }))
    return fail(Reason::bad_request, fmt::format("'{}' is an address of this server, not a name", name));
  return Done{};
}

Result<User> Accounts::create_user(std::string_view actor, const NewUser& wish) {
  TRY_DONE(check_new_name(wish.name));
  TRY_DONE(check_display_text(wish.fullname, fullname_bytes_max, "full name"));
  TRY_DONE(check_email(wish.email));
  std::string password;
  if (wish.password) {
    TRY(password, hash_password(*wish.password, options_.password_cost));
  }
  return database_.write<User>([&](sql::Transaction& tx) -> Result<User> {
    TRY_DONE(take_name(tx, wish.name, "user"));
    const int64_t admin = wish.kind == UserKind::administrator ? 1 : 0;
    TRY_DONE(
        tx.run("INSERT INTO identity_users (name, name_key, fullname, email, admin, password, created) "
               "VALUES (?, ?, ?, ?, ?, ?, ?)",
               {wish.name, std::string_view(lower_case(wish.name)), wish.fullname, wish.email, admin,
                password, int64_t{clock_.wall().time_since_epoch().count()}}));
    TRY_DONE(audit_.append(tx, {.actor = std::string(actor),
                                .action = "user.created",
                                .subject = wish.name,
                                .details = {{"admin", admin != 0 ? "yes" : "no"}}}));
    return user_named(tx, wish.name);
  });
}

Result<User> Accounts::find_user(std::string_view name) {
  return database_.read<User>([&](sql::Transaction& tx) { return user_named(tx, name); });
}

Result<User> Accounts::find_user(UserId id) {
  return database_.read<User>([&](sql::Transaction& tx) { return user_numbered(tx, id); });
}

Result<std::vector<User>> Accounts::list_users() { return database_.read<std::vector<User>>(all_users); }

Status Accounts::disable_user(std::string_view actor, std::string_view name) {
  return set_disabled(actor, name, 1, "user.disabled");
}

Status Accounts::enable_user(std::string_view actor, std::string_view name) {
  return set_disabled(actor, name, 0, "user.enabled");
}

Status Accounts::set_disabled(std::string_view actor, std::string_view name, int64_t disabled,
                              std::string_view action) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const User user, user_named(tx, name));
    TRY_DONE(tx.run("UPDATE identity_users SET disabled = ? WHERE id = ?", {disabled, user.id.raw}));
    TRY_DONE(raise_generation(tx));
    return audit_.append(
        tx,
        {.actor = std::string(actor), .action = std::string(action), .subject = user.name, .details = {}});
  });
}

Status Accounts::set_password(std::string_view actor, std::string_view name, const Secret& password) {
  TRY(const std::string hash, hash_password(password, options_.password_cost));
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const User user, user_named(tx, name));
    TRY_DONE(tx.run("UPDATE identity_users SET password = ? WHERE id = ?", {hash, user.id.raw}));
    TRY_DONE(tx.run("DELETE FROM identity_sessions WHERE owner = ?", {user.id.raw}));
    return audit_.append(tx, {.actor = std::string(actor),
                              .action = "user.password_changed",
                              .subject = user.name,
                              .details = {}});
  });
}

Result<User> Accounts::check_password(std::string_view name, const Secret& password) {
  std::optional<User> user;
  std::string hash;
  const std::string key = lower_case(name);
  TRY_DONE(database_.read([&](sql::Transaction& tx) -> Status {
    TRY_DONE(tx.query("SELECT password FROM identity_users WHERE name_key = ? AND disabled = 0",
                      {std::string_view(key)}, [&](const sql::Row& row) {
                        hash = row.text(0);
                        return true;
                      }));
    if (hash.empty()) return Done{};
    TRY(user, user_named(tx, name));
    return Done{};
  }));
  if (user && password_matches(hash, password)) return std::move(*user);
  // The same work for names without a password, so that the time does not tell which names exist.
  if (!user) (void)hash_password(Secret("no such user"), options_.password_cost).ok();
  return fail(Reason::bad_credentials, "the name or the password is wrong");
}

}  // namespace holdfast::identity
