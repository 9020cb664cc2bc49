#include "identity/permission.h"

#include <algorithm>
#include <optional>

#include "identity/names.h"

namespace holdfast::identity {
namespace {

const Membership* membership_in(const Caller& caller, std::string_view ns) {
  const auto found = std::find_if(caller.memberships.begin(), caller.memberships.end(),
                                  [&](const Membership& in) { return equal_names(in.organisation, ns); });
  return found == caller.memberships.end() ? nullptr : &*found;
}

bool owns(const Caller& caller, std::string_view ns) {
  return !caller.anonymous() && equal_names(caller.name, ns);
}

Right right_of_role(OrgRole role, const Caller& caller, const Resource& resource) {
  switch (role) {
    case OrgRole::read:
      return Right::contribute;
    case OrgRole::contributor:
      return !resource.name.empty() && equal_names(resource.creator, caller.name) ? Right::write
                                                                                  : Right::contribute;
    case OrgRole::write:
      return Right::write;
    case OrgRole::admin:
      return Right::admin;
  }
  return Right::read;
}

// The most that the person may do, whatever the token; nullopt: not even see it.
std::optional<Right> right_of_user(const Caller& caller, const Resource& resource,
                                   AnonymousReads anonymous_reads) {
  if (caller.anonymous()) {
    const bool open =
        resource.visibility == Visibility::public_ && anonymous_reads == AnonymousReads::public_repositories;
    return open ? std::optional(Right::read) : std::nullopt;
  }
  if (caller.admin && caller.role == TokenRole::write) return Right::admin;
  if (owns(caller, resource.ns)) return Right::admin;
  std::optional<Right> best;
  if (resource.visibility == Visibility::public_) best = Right::contribute;
  if (const Membership* in = membership_in(caller, resource.ns); in != nullptr)
    best = std::max(best, std::optional(right_of_role(in->role, caller, resource)));
  return best;
}

bool covers(const Scope& scope, const Resource& resource) {
  switch (scope.kind) {
    case EntityKind::everything:
      return true;
    case EntityKind::user:
    case EntityKind::organisation:
      return equal_names(scope.name, resource.ns);
    case EntityKind::model:
    case EntityKind::dataset:
    case EntityKind::space:
    case EntityKind::endpoint: {
      if (scope.kind != resource.kind || resource.name.empty()) return false;
      const size_t slash = scope.name.find('/');
      return slash != std::string::npos &&
             equal_names(std::string_view(scope.name).substr(0, slash), resource.ns) &&
             equal_names(std::string_view(scope.name).substr(slash + 1), resource.name);
    }
  }
  return false;
}

bool granted(const Caller& caller, const Resource& resource, Grant grant) {
  return std::any_of(caller.scopes.begin(), caller.scopes.end(),
                     [&](const Scope& scope) { return scope.grants.has(grant) && covers(scope, resource); });
}

bool token_allows(const Caller& caller, Right right, const Resource& resource) {
  if (caller.anonymous() || caller.role == TokenRole::write) return true;
  if (caller.role == TokenRole::read) return right <= Right::contribute;
  if (right == Right::read && resource.visibility == Visibility::public_) return true;
  if (granted(caller, resource, Grant::admin)) return true;
  if (right <= Right::write && granted(caller, resource, Grant::repo_write)) return true;
  if (right == Right::contribute && granted(caller, resource, Grant::discussion_write))
    return resource.visibility == Visibility::public_ || granted(caller, resource, Grant::content_read);
  return right == Right::read && granted(caller, resource, Grant::content_read);
}

}  // namespace

bool Permission::may(const Caller& caller, Right right, const Resource& resource) const {
  const auto most = right_of_user(caller, resource, anonymous_reads_);
  return most.has_value() && right <= *most && token_allows(caller, right, resource);
}

bool Permission::may_create(const Caller& caller, EntityKind kind, std::string_view ns,
                            std::string_view name) const {
  if (caller.anonymous()) return false;
  const Membership* in = membership_in(caller, ns);
  const bool user_may = (caller.admin && caller.role == TokenRole::write) || owns(caller, ns) ||
                        (in != nullptr && in->role >= OrgRole::contributor);
  const Resource wanted{.kind = kind, .ns = ns, .name = name, .creator = caller.name};
  return user_may && token_allows(caller, Right::write, wanted);
}

bool Permission::may_infer(const Caller& caller, const Resource& resource) const {
  if (caller.anonymous() || !right_of_user(caller, resource, anonymous_reads_)) return false;
  return caller.role != TokenRole::fine_grained || granted(caller, resource, Grant::infer) ||
         granted(caller, resource, Grant::admin);
}

bool Permission::may_administer_instance(const Caller& caller) const {
  return !caller.anonymous() && caller.admin && caller.role == TokenRole::write;
}

}  // namespace holdfast::identity
