#include "govern/roles.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "govern/rows.h"
#include "identity/accounts.h"
#include "identity/permission.h"
#include "sql/database.h"

namespace holdfast::govern {
namespace {

constexpr std::array<std::string_view, 7> known = {"owner",      "reviewer", "security", "legal",
                                                   "compliance", "privacy",  "oncall"};
constexpr std::string_view columns = "id, ns, user_name, role, state, proposed_by, confirmed_by, at";

Role role_of(const sql::Row& row, WallTime now) {
  Role role{.id = row.integer(0),
            .ns = row.text(1),
            .user = row.text(2),
            .role = row.text(3),
            .state = row.text(4),
            .proposed_by = row.text(5),
            .confirmed_by = row.text(6),
            .at = time_of(row.integer(7))};
  role.newcomer = role.state == "granted" && now - role.at < newcomer_span;
  return role;
}

Result<std::vector<Role>> select(sql::Transaction& tx, std::string_view where,
                                 std::initializer_list<sql::Value> values, WallTime now) {
  std::vector<Role> roles;
  TRY_DONE(
      tx.query(fmt::format("SELECT {} FROM govern_roles WHERE {} ORDER BY id LIMIT 1000", columns, where),
               values, [&](const sql::Row& row) {
                 roles.push_back(role_of(row, now));
                 return true;
               }));
  return roles;
}

}  // namespace

Status Roles::check_administrator(const identity::Caller& caller, std::string_view ns) const {
  if (caller.environment.empty() &&
      permission_.may(caller, identity::Right::admin, {.kind = identity::EntityKind::model, .ns = ns}))
    return Done{};
  return fail(Reason::forbidden, fmt::format("roles in {} are given by its administrators", ns));
}

Result<Role> Roles::propose(const identity::Caller& caller, std::string_view ns, std::string_view user,
                            std::string_view role) {
  TRY_DONE(check_administrator(caller, ns));
  if (std::find(known.begin(), known.end(), role) == known.end())
    return fail(Reason::bad_request,
                "'role' is owner, reviewer, security, legal, compliance, privacy or oncall");
  TRY(const identity::User grantee, accounts_.find_user(user));
  return database_.write<Role>([&](sql::Transaction& tx) -> Result<Role> {
    TRY(const WallTime now, decisions_.now(tx));
    TRY(const std::vector<Role> same,
        select(tx, "ns = ? AND user_name = ? AND role = ? AND state <> 'withdrawn'", {ns, grantee.name, role},
               now));
    if (!same.empty())
      return fail(Reason::already_exists,
                  fmt::format("{} has this role, or is proposed for it", grantee.name));
    TRY_DONE(
        tx.run("INSERT INTO govern_roles (ns, user_name, role, state, proposed_by, at) "
               "VALUES (?, ?, ?, 'proposed', ?, ?)",
               {ns, grantee.name, role, caller.name, milliseconds(now)}));
    TRY(const std::vector<Role> made,
        select(tx, "ns = ? AND user_name = ? AND role = ? AND state = 'proposed'", {ns, grantee.name, role},
               now));
    TRY_DONE(decisions_.append(tx, {.actor = caller.name,
                                    .action = "role.proposed",
                                    .record = std::string(ns),
                                    .details = {{"user", grantee.name}, {"role", std::string(role)}}}));
    return made.front();
  });
}

Result<Role> Roles::confirm(const identity::Caller& caller, std::string_view ns, int64_t id) {
  return step(caller, ns, id, "granted");
}

Result<Role> Roles::withdraw(const identity::Caller& caller, std::string_view ns, int64_t id) {
  return step(caller, ns, id, "withdrawn");
}

Result<Role> Roles::step(const identity::Caller& caller, std::string_view ns, int64_t id,
                         std::string_view to) {
  TRY_DONE(check_administrator(caller, ns));
  return database_.write<Role>([&](sql::Transaction& tx) -> Result<Role> {
    TRY(const WallTime now, decisions_.now(tx));
    TRY(const std::vector<Role> found, select(tx, "id = ? AND ns = ?", {id, ns}, now));
    if (found.empty()) return fail(Code::not_found, fmt::format("there is no role {} in {}", id, ns));
    const Role& role = found.front();
    const bool grants = to == "granted";
    if (role.state == to || role.state == "withdrawn" || (grants && role.state != "proposed"))
      return fail(Code::conflict, fmt::format("the role is {} already", role.state));
    if (grants && (caller.name == role.proposed_by || caller.name == role.user))
      return fail(Reason::forbidden,
                  "a role is confirmed by a second person: neither who proposed it nor who gets it");
    TRY_DONE(tx.run("UPDATE govern_roles SET state = ?, confirmed_by = ?, at = ? WHERE id = ?",
                    {to, caller.name, milliseconds(now), id}));
    TRY_DONE(decisions_.append(
        tx, {.actor = caller.name,
             .action = grants ? "role.granted" : "role.withdrawn",
             .record = std::string(ns),
             .details = {{"user", role.user}, {"role", role.role}, {"proposed_by", role.proposed_by}}}));
    TRY(const std::vector<Role> now_is, select(tx, "id = ?", {id}, now));
    return now_is.front();
  });
}

Result<std::vector<Role>> Roles::list(std::string_view ns) {
  return database_.read<std::vector<Role>>([&](sql::Transaction& tx) -> Result<std::vector<Role>> {
    TRY(const WallTime now, decisions_.now(tx));
    return select(tx, "ns = ?", {ns}, now);
  });
}

Result<std::optional<Role>> Roles::held(sql::Transaction& tx, std::string_view ns, std::string_view user,
                                        std::string_view role, WallTime now) {
  TRY(std::vector<Role> found,
      select(tx, "ns = ? AND user_name = ? AND role = ? AND state = 'granted'", {ns, user, role}, now));
  return found.empty() ? std::optional<Role>() : std::optional(std::move(found.front()));
}

Result<bool> Roles::holds_any(sql::Transaction& tx, std::string_view ns, std::string_view user) {
  TRY(const std::vector<Role> found,
      select(tx, "ns = ? AND user_name = ? AND state = 'granted'", {ns, user}, WallTime{}));
  return !found.empty();
}

}  // namespace holdfast::govern
