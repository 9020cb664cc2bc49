#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "identity/audit.h"
#include "identity/caller.h"
#include "identity/password.h"
#include "identity/permission.h"

namespace holdfast::identity {

enum class UserKind : uint8_t { ordinary, administrator };

struct User {
  UserId id{};
  std::string name{}, fullname{}, email{};
  UserKind kind = UserKind::ordinary;
  bool disabled = false;
  bool has_password = false;
  WallTime created{};
};

struct NewUser {
  std::string name{};
  std::string fullname{}, email{};
  UserKind kind = UserKind::ordinary;
  std::optional<Secret> password{};  // Without one the user signs in by tokens only.
};

struct Organisation {
  OrganisationId id{};
  std::string name{}, fullname{};
  Visibility default_visibility = Visibility::public_;  // Of new repositories that do not say.
  WallTime created{};
};

struct NewOrganisation {
  std::string name{};
  std::string fullname{};
  Visibility default_visibility = Visibility::public_;
};

struct Member {
  UserId id{};
  std::string user{}, fullname{};
  OrgRole role = OrgRole::read;
};

// Whose name it is, spelt as its owner spells it.
struct Namespace {
  enum class Kind : uint8_t { user, organisation };
  Kind kind = Kind::user;
  std::string name{};
  Visibility default_visibility = Visibility::public_;
};

struct AccountsOptions {
  std::vector<std::string> reserved_names{};  // Routes: net::Router::reserved_names.
  PasswordCost password_cost{};
  size_t memberships_max = 1000;  // Of one user.
};

// Users and organisations, one space of names in which case does not matter. Changes are written to the audit
// log under `actor`, in the same transaction. Not found is Code::not_found. app/ owns it. Safe from any
// thread.
class Accounts {
 public:
  Accounts(sql::Database& database, const Audit& audit, const Clock& clock, AccountsOptions options = {})
      : database_(database), audit_(audit), clock_(clock), options_(std::move(options)) {}

  Result<User> create_user(std::string_view actor, const NewUser& wish);
  Result<User> find_user(std::string_view name);
  Result<User> find_user(UserId id);
  Result<std::vector<User>> list_users();  // By name; at most 100,000.
  // Its tokens stop working; enabling lets those that are left work again.
  Status disable_user(std::string_view actor, std::string_view name);
  Status enable_user(std::string_view actor, std::string_view name);
  // The user's browsers are signed out.
  Status set_password(std::string_view actor, std::string_view name, const Secret& password);
  // bad_credentials for unknown, disabled and password-less users too, after the same work.
  Result<User> check_password(std::string_view name, const Secret& password);

  Result<Organisation> create_organisation(std::string_view actor, const NewOrganisation& wish);
  Result<Organisation> find_organisation(std::string_view name);
  Result<std::vector<Organisation>> list_organisations();
  Status set_default_visibility(std::string_view actor, std::string_view organisation, Visibility visibility);
  // Adds the member or changes its role.
  Status set_member(std::string_view actor, std::string_view organisation, std::string_view user,
                    OrgRole role);
  Status remove_member(std::string_view actor, std::string_view organisation, std::string_view user);
  Result<std::vector<Member>> members(std::string_view organisation);
  Result<std::vector<Membership>> memberships(UserId user);

  Result<Namespace> find_namespace(std::string_view name);

 private:
  Status check_new_name(std::string_view name) const;
  Status set_disabled(std::string_view actor, std::string_view name, int64_t disabled,
                      std::string_view action);

  sql::Database& database_;
  const Audit& audit_;
  const Clock& clock_;
  AccountsOptions options_;
};

}  // namespace holdfast::identity
