#include "identity/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "identity/names.h"

namespace holdfast::identity {
namespace {

constexpr Grant all_grants[] = {Grant::content_read, Grant::repo_write, Grant::discussion_write, Grant::infer,
                                Grant::admin};

Status add_grant(Scope& scope, std::string_view word) {
  const auto grant = grant_of(word);
  if (!grant)
    return fail(
        Reason::bad_request,
        fmt::format("'{}' is no permission: repo.content.read, repo.write, discussion.write, infer, admin",
                    word));
  scope.grants.add(*grant);
  return Done{};
}

Result<EntityKind> entity_kind(std::string_view word) {
  const auto kind = entity_kind_of(word);
  if (!kind)
    return fail(
        Reason::bad_request,
        fmt::format("'{}' is no kind of thing: everything, user, org, model, dataset, space, endpoint",
                    word));
  return *kind;
}

Result<Scope> scope_of(const boost::json::value& value) {
  if (!value.is_object()) return fail(Reason::bad_request, "a scope is an object");
  TRY(const boost::json::object* entity, codec::json_object(value.get_object(), "entity"));
  TRY(const boost::json::array* permissions, codec::json_array(value.get_object(), "permissions"));
  TRY(const std::string_view type, codec::json_text(*entity, "type"));
  TRY(const auto name, codec::json_text_if(*entity, "name"));
  Scope scope;
  TRY(scope.kind, entity_kind(type));
  scope.name = name.value_or("");
  for (const boost::json::value& permission : *permissions) {
    if (!permission.is_string()) return fail(Reason::bad_request, "a permission is a text");
    TRY_DONE(add_grant(scope, permission.get_string()));
  }
  TRY_DONE(check_scope(scope));
  return scope;
}

}  // namespace

std::vector<Grant> grants_of(const Scope& scope) {
  std::vector<Grant> grants;
  for (const Grant grant : all_grants)
    if (scope.grants.has(grant)) grants.push_back(grant);
  return grants;
}

Status check_scope(const Scope& scope) {
  const size_t slash = scope.name.find('/');
  const std::string_view whole = scope.name;
  switch (scope.kind) {
    case EntityKind::everything:
      if (!whole.empty()) return fail(Reason::bad_request, "the scope 'everything' has no name");
      break;
    case EntityKind::user:
    case EntityKind::organisation:
      TRY_DONE(check_account_name(whole));
      break;
    case EntityKind::model:
    case EntityKind::dataset:
    case EntityKind::space:
    case EntityKind::endpoint:
      if (slash == std::string::npos)
        return fail(Reason::bad_request, "this scope needs a name like owner/name");
      TRY_DONE(check_account_name(whole.substr(0, slash)));
      TRY_DONE(check_account_name(whole.substr(slash + 1)));
      break;
  }
  if (scope.grants.empty()) return fail(Reason::bad_request, "a scope grants at least one permission");
  return Done{};
}

Result<Scope> parse_scope(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos)
    return fail(Reason::bad_request, "a scope is KIND:NAME=PERMISSION,… such as model:lab/engine=repo.write");
  const std::string_view entity = text.substr(0, equals);
  const size_t colon = std::min(entity.find(':'), entity.size());
  Scope scope;
  TRY(scope.kind, entity_kind(entity.substr(0, colon)));
  scope.name = entity.substr(std::min(colon + 1, entity.size()));
  for (std::string_view rest = text.substr(equals + 1); !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    TRY_DONE(add_grant(scope, rest.substr(0, comma)));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  TRY_DONE(check_scope(scope));
  return scope;
}

std::string scope_text(const Scope& scope) {
  std::string text(entity_kind_name(scope.kind));
  if (!scope.name.empty()) text += ":" + scope.name;
  char separator = '=';
  for (const Grant grant : grants_of(scope)) {
    text += separator;
    text += grant_name(grant);
    separator = ',';
  }
  return text;
}

std::string scopes_json(const std::vector<Scope>& scopes) {
  boost::json::array all;
  for (const Scope& scope : scopes) {
    boost::json::object entity{{"type", entity_kind_name(scope.kind)}};
    if (!scope.name.empty()) entity["name"] = scope.name;
    boost::json::array permissions;
    for (const Grant grant : grants_of(scope)) permissions.emplace_back(grant_name(grant));
    all.push_back(
        boost::json::object{{"entity", std::move(entity)}, {"permissions", std::move(permissions)}});
  }
  return codec::to_text(all);
}

Result<std::vector<Scope>> parse_scopes_json(std::string_view text) {
  TRY(const boost::json::value value, codec::parse_json(text));
  if (!value.is_array()) return fail(Reason::bad_request, "scopes are an array");
  if (value.get_array().size() > scopes_max)
    return fail(Reason::bad_request, fmt::format("a token has at most {} scopes", scopes_max));
  std::vector<Scope> scopes;
  for (const boost::json::value& each : value.get_array()) {
    TRY(Scope scope, scope_of(each));
    scopes.push_back(std::move(scope));
  }
  return scopes;
}

}  // namespace holdfast::identity
