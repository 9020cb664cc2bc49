// The half of Accounts that is about organisations and their members.
#include <fmt/format.h>

#include "identity/account_rows.h"
#include "identity/accounts.h"
#include "identity/generation.h"
#include "identity/names.h"
#include "sql/database.h"

namespace holdfast::identity {
namespace {

constexpr size_t fullname_bytes_max = 200;

Result<int64_t> membership_count(sql::Transaction& tx, UserId user) {
  int64_t count = 0;
  TRY_DONE(tx.query("SELECT count(*) FROM identity_members WHERE member = ?", {user.raw},
                    [&](const sql::Row& row) {
                      count = row.integer(0);
                      return true;
                    }));
  return count;
}

}  // namespace

Result<Organisation> Accounts::create_organisation(std::string_view actor, const NewOrganisation& wish) {
  TRY_DONE(check_new_name(wish.name));
  TRY_DONE(check_display_text(wish.fullname, fullname_bytes_max, "full name"));
  return database_.write<Organisation>([&](sql::Transaction& tx) -> Result<Organisation> {
    TRY_DONE(take_name(tx, wish.name, "organisation"));
    TRY_DONE(tx.run(
        "INSERT INTO identity_organisations (name, name_key, fullname, default_visibility, created) "
        "VALUES (?, ?, ?, ?, ?)",
        {wish.name, std::string_view(lower_case(wish.name)), wish.fullname,
         visibility_name(wish.default_visibility), int64_t{clock_.wall().time_since_epoch().count()}}));
    TRY_DONE(audit_.append(
        tx, {.actor = std::string(actor),
             .action = "org.created",
             .subject = wish.name,
             .details = {{"default_visibility", std::string(visibility_name(wish.default_visibility))}}}));
    return organisation_named(tx, wish.name);
  });
}

Result<Organisation> Accounts::find_organisation(std::string_view name) {
  return database_.read<Organisation>([&](sql::Transaction& tx) { return organisation_named(tx, name); });
}

Result<std::vector<Organisation>> Accounts::list_organisations() {
  return database_.read<std::vector<Organisation>>(all_organisations);
}

Status Accounts::set_default_visibility(std::string_view actor, std::string_view organisation,
                                        Visibility visibility) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const Organisation found, organisation_named(tx, organisation));
    TRY_DONE(tx.run("UPDATE identity_organisations SET default_visibility = ? WHERE id = ?",
                    {visibility_name(visibility), found.id.raw}));
    return audit_.append(tx, {.actor = std::string(actor),
                              .action = "org.default_visibility_changed",
                              .subject = found.name,
                              .details = {{"default_visibility", std::string(visibility_name(visibility))}}});
  });
}

Status Accounts::set_member(std::string_view actor, std::string_view organisation, std::string_view user,
                            OrgRole role) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const Organisation found, organisation_named(tx, organisation));
    TRY(const User member, user_named(tx, user));
    TRY(const int64_t changed,
        tx.run("UPDATE identity_members SET role = ? WHERE organisation = ? AND member = ?",
               {org_role_name(role), found.id.raw, member.id.raw}));
    if (changed == 0) {
      TRY(const int64_t count, membership_count(tx, member.id));
      if (count >= static_cast<int64_t>(options_.memberships_max))
        return fail(Reason::quota,
                    fmt::format("a user is a member of at most {} organisations", options_.memberships_max));
      TRY_DONE(tx.run("INSERT INTO identity_members (organisation, member, role) VALUES (?, ?, ?)",
                      {found.id.raw, member.id.raw, org_role_name(role)}));
    }
    TRY_DONE(raise_generation(tx));
    return audit_.append(tx,
                         {.actor = std::string(actor),
                          .action = changed == 0 ? "org.member_added" : "org.member_changed",
                          .subject = found.name,
                          .details = {{"user", member.name}, {"role", std::string(org_role_name(role))}}});
  });
}

Status Accounts::remove_member(std::string_view actor, std::string_view organisation, std::string_view user) {
  return database_.write([&](sql::Transaction& tx) -> Status {
    TRY(const Organisation found, organisation_named(tx, organisation));
    TRY(const User member, user_named(tx, user));
    TRY(const int64_t removed, tx.run("DELETE FROM identity_members WHERE organisation = ? AND member = ?",
                                      {found.id.raw, member.id.raw}));
    if (removed == 0)
      return fail(Code::not_found, fmt::format("'{}' is no member of '{}'", member.name, found.name));
    TRY_DONE(raise_generation(tx));
    return audit_.append(tx, {.actor = std::string(actor),
                              .action = "org.member_removed",
                              .subject = found.name,
                              .details = {{"user", member.name}}});
  });
}

Result<std::vector<Member>> Accounts::members(std::string_view organisation) {
  return database_.read<std::vector<Member>>([&](sql::Transaction& tx) -> Result<std::vector<Member>> {
    TRY(const Organisation found, organisation_named(tx, organisation));
    std::vector<Member> members;
    TRY_DONE(
        tx.query("SELECT u.id, u.name, u.fullname, m.role FROM identity_members m JOIN identity_users u "
                 "ON u.id = m.member WHERE m.organisation = ? ORDER BY u.name_key LIMIT ?",
                 {found.id.raw, accounts_listed_max}, [&](const sql::Row& row) {
                   members.push_back({UserId{row.integer(0)}, row.text(1), row.text(2),
                                      org_role_of(row.text(3)).value_or(OrgRole::read)});
                   return true;
                 }));
    return members;
  });
}

Result<std::vector<Membership>> Accounts::memberships(UserId user) {
  return database_.read<std::vector<Membership>>(
      [&](sql::Transaction& tx) { return memberships_of(tx, user, options_.memberships_max); });
}

Result<Namespace> Accounts::find_namespace(std::string_view name) {
  return database_.read<Namespace>([&](sql::Transaction& tx) -> Result<Namespace> {
    auto user = user_named(tx, name);
    if (user.ok()) return Namespace{Namespace::Kind::user, user.value().name, Visibility::public_};
    if (user.error().code != Code::not_found) return std::move(user).error();
    auto organisation = organisation_named(tx, name);
    if (!organisation.ok() && organisation.error().code == Code::not_found)
      return fail(Code::not_found, fmt::format("there is no user or organisation '{}'", name));
    if (!organisation.ok()) return std::move(organisation).error();
    return Namespace{Namespace::Kind::organisation, organisation.value().name,
                     organisation.value().default_visibility};
  });
}

}  // namespace holdfast::identity
