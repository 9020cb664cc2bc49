#include "identity/token_rows.h"

#include <fmt/format.h>

#include "identity/account_rows.h"
#include "identity/names.h"
#include "identity/scope.h"
#include "identity/token_age_rows.h"
#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr int64_t listed_max = 100'000, leaked_max = 100, current_max = 1000;
constexpr size_t memberships_max = 1000;
constexpr std::string_view select_tokens =
    "SELECT t.id, t.owner, u.name, t.label, t.role, t.scopes, t.created, t.expires, t.last_used, t.revoked, "
    "t.environment, t.found_in, t.age_own, t.age_warn, t.age_end, t.replaced_by "
    "FROM identity_tokens t JOIN identity_users u ON u.id = t.owner ";

std::optional<WallTime> time_column(const sql::Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return WallTime{std::chrono::milliseconds{row.integer(column)}};
}

sql::Value time_value(const std::optional<WallTime>& time) {
  if (!time) return sql::Null{};
  return int64_t{time->time_since_epoch().count()};
}

Result<TokenInfo> token_of(const sql::Row& row) {
  const auto role = token_role_of(row.text(4));
  TRY(std::vector<Scope> scopes, parse_scopes_json(row.text(5)));
  if (!role) return fail(Reason::data_corrupt, "a stored token has an unknown role");
  TokenInfo info{.id = TokenId{row.integer(0)},
                 .user = UserId{row.integer(1)},
                 .user_name = row.text(2),
                 .label = row.text(3),
                 .role = *role,
                 .scopes = std::move(scopes),
                 .created = WallTime{std::chrono::milliseconds{row.integer(6)}},
                 .expires = time_column(row, 7),
                 .last_used = time_column(row, 8),
                 .revoked = time_column(row, 9),
                 .environment = row.text(10),
                 .found_in = row.text(11)};
  if (row.integer(12) != 0) info.own_age = AgeRule{span_column(row, 13), span_column(row, 14)};
  if (!row.is_null(15)) info.replaced_by = TokenId{row.integer(15)};
  return info;
}

Result<std::vector<TokenInfo>> select(sql::Transaction& tx, std::string_view where,
                                      std::initializer_list<sql::Value> values,
                                      std::optional<UserId> of = std::nullopt) {
  std::vector<TokenInfo> tokens;
  Status unreadable = Done{};
  TRY_DONE(tx.query(fmt::format("{}{}", select_tokens, where), values, [&](const sql::Row& row) {
    auto token = token_of(row);
    if (token.ok())
      tokens.push_back(std::move(token).value());
    else
      unreadable = std::move(token).error();
    return unreadable.ok();
  }));
  TRY_DONE(std::move(unreadable));
  if (tokens.size() == 1) of = tokens.front().user;
  TRY_DONE(apply_age_rules(tx, tokens, of));
  return tokens;
}

}  // namespace

Result<TokenInfo> token_numbered(sql::Transaction& tx, TokenId id) {
  TRY(std::vector<TokenInfo> found, select(tx, "WHERE t.id = ?", {id.raw}));
  if (found.empty()) return fail(Code::not_found, fmt::format("there is no token {}", id.raw));
  return std::move(found.front());
}

Result<std::optional<TokenInfo>> token_of_digest(sql::Transaction& tx, const TokenDigest& digest) {
  TRY(std::vector<TokenInfo> found, select(tx, "WHERE t.digest = ?", {ByteView(digest)}));
  return found.empty() ? std::optional<TokenInfo>() : std::optional(std::move(found.front()));
}

Result<std::vector<TokenInfo>> list_tokens(sql::Transaction& tx, std::optional<UserId> user) {
  if (user) return select(tx, "WHERE t.owner = ? ORDER BY t.id DESC LIMIT ?", {user->raw, listed_max}, user);
  return select(tx, "ORDER BY t.id DESC LIMIT ?", {listed_max});
}

Result<std::vector<TokenInfo>> list_leaked(sql::Transaction& tx, UserId user) {
  return select(tx, "WHERE t.owner = ? AND t.found_in <> '' ORDER BY t.id DESC LIMIT ?",
                {user.raw, leaked_max}, user);
}

Result<std::vector<TokenInfo>> list_current(sql::Transaction& tx, UserId user) {
  return select(
      tx, "WHERE t.owner = ? AND t.revoked IS NULL AND t.replaced_by IS NULL ORDER BY t.id DESC LIMIT ?",
      {user.raw, current_max}, user);
}

Result<std::vector<TokenInfo>> list_untold(sql::Transaction& tx, WallTime made_until) {
  return select(tx,
                "WHERE t.revoked IS NULL AND t.replaced_by IS NULL AND (t.told_ageing IS NULL OR "
                "t.told_ended IS NULL) AND (t.created <= ? OR t.age_own = 1) ORDER BY t.id LIMIT ?",
                {int64_t{made_until.time_since_epoch().count()}, listed_max});
}

Status insert_token(sql::Transaction& tx, const TokenDigest& digest, TokenInfo& info) {
  TRY(const auto taken, token_of_digest(tx, digest));
  if (taken) return fail(Reason::already_exists, "a token with this value exists");
  const std::string scopes = scopes_json(info.scopes);
  return tx.query(
      "INSERT INTO identity_tokens (owner, digest, label, role, scopes, created, expires, environment, "
      "age_own, "
      "age_warn, age_end) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
      {info.user.raw, ByteView(digest), info.label, token_role_name(info.role), scopes,
       int64_t{info.created.time_since_epoch().count()}, time_value(info.expires), info.environment,
       int64_t{info.own_age ? 1 : 0}, span_value(info.own_age ? info.own_age->warn : std::nullopt),
       span_value(info.own_age ? info.own_age->end : std::nullopt)},
      [&](const sql::Row& row) {
        info.id = TokenId{row.integer(0)};
        return true;
      });
}

Result<std::optional<Caller>> caller_of(sql::Transaction& tx, const TokenInfo& token) {
  TRY(const User user, user_numbered(tx, token.user));
  if (user.disabled) return std::optional<Caller>();
  TRY(std::vector<Membership> memberships, memberships_of(tx, user.id, memberships_max));
  return std::optional(Caller{.user = user.id,
                              .name = user.name,
                              .admin = user.kind == UserKind::administrator,
                              .token = token.id,
                              .role = token.role,
                              .scopes = token.scopes,
                              .memberships = std::move(memberships),
                              .environment = token.environment});
}

}  // namespace holdfast::identity
