#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/hub_views.h"
#include "api/services.h"
#include "codec/json.h"
#include "govern/dependants.h"
#include "identity/accounts.h"
#include "repo/hub.h"
#include "repo/tombstones.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t settings_bytes_max = 256 << 10, card_bytes_max = 4 << 20;
constexpr size_t named_max = 5;

Error hidden() { return fail(Reason::repo_not_found, "Repository not found"); }

Result<repo::RepoType> type_in(const json::object& body, std::string_view key) {
  TRY(const auto name, codec::json_text_if(body, key));
  if (!name) return repo::RepoType::model;
  const auto type = repo::type_of_name(*name);
  if (!type)
    return fail(Reason::bad_request, fmt::format("\"{}\" must be one of [model, dataset, space]", key));
  return *type;
}

// `visibility` of newer clients, `private` of older ones; nullopt when neither says.
Result<std::optional<repo::Visibility>> visibility_in(const json::object& body) {
  TRY(const auto word, codec::json_text_if(body, "visibility"));
  if (word) {
    const auto visibility = repo::visibility_of_name(*word);
    if (!visibility) return fail(Reason::bad_request, "\"visibility\" must be one of [public, private]");
    return visibility;
  }
  TRY(const auto flag, codec::json_flag_if(body, "private"));
  if (!flag) return std::optional<repo::Visibility>();
  return std::optional(*flag ? repo::Visibility::private_ : repo::Visibility::public_);
}

// The pieces of a name that create and delete send: "name" and "organization", or "ns/name" in one.
Result<repo::RepoName> name_in(const json::object& body, const identity::Caller& caller) {
  TRY(const repo::RepoType type, type_in(body, "type"));
  TRY(const std::string_view name, codec::json_text(body, "name"));
  TRY(const auto organisation, codec::json_text_if(body, "organization"));
  if (name.find('/') != std::string_view::npos) return repo::parse_repo_name(type, name);
  repo::RepoName out{.type = type,
                     .ns = std::string(organisation ? *organisation : std::string_view(caller.name)),
                     .name = std::string(name)};
  TRY_DONE(repo::check_repo_name(out.ns));
  TRY_DONE(repo::check_repo_name(out.name));
  return out;
}

// A repository named in a body: found, and shown to the caller.
Result<repo::Repository> named_repository(Services& services, const Call& call, const repo::RepoName& name) {
  TRY(auto found, services.hub.repositories.find(name.type, name.ns, name.name));
  if (!found || !services.hub.rights.may_find(call.caller, *found)) return hidden();
  return std::move(*found);
}

Result<repo::Repository> administered(Services& services, const Call& call, const repo::RepoName& name) {
  TRY(repo::Repository found, named_repository(services, call, name));
  if (!services.hub.rights.may_administer(call.caller, found))
    return fail(Reason::forbidden,
                fmt::format("You don't have the rights to administer {}", found.full_name()));
  return found;
}

json::object created_view(const Call& call, const repo::Repository& repository) {
  return {{"url", repo_url(call.base_url, repository)},
          {"name", repository.full_name()},
          {"id", fmt::format("{:024x}", repository.id.raw)}};
}

Response exists_answer(const Call& call, const Error& error, const repo::Repository& there) {
  return error_answer_with(call.request, error, call.context, created_view(call, there));
}

Result<Response> create(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const repo::RepoName name, name_in(body, call.caller));
  TRY(const auto visibility, visibility_in(body));
  TRY(const auto sdk, codec::json_text_if(body, "sdk"));
  repo::NewRepository wish{.type = name.type, .ns = name.ns, .name = name.name, .visibility = {}, .sdk = {}};
  if (sdk) wish.sdk = *sdk;
  const auto ns = services.accounts.find_namespace(name.ns);
  if (!ns.ok()) {
    if (ns.error().code != Code::not_found) return ns.error();
    return fail(Reason::forbidden,
                fmt::format("You don't have the rights to create a {} under the namespace \"{}\"",
                            repo::type_name(name.type), name.ns));
  }
  wish.ns = ns.value().name;
  wish.visibility = visibility.value_or(ns.value().default_visibility);
  auto created = services.hub.repositories.create(call.caller, wish);
  if (created.ok()) return json_answer(created_view(call, created.value()));
  if (created.error().reason != Reason::already_exists) return created.error();
  TRY(const auto there, services.hub.repositories.find(wish.type, wish.ns, wish.name));
  if (!there) return created.error();
  if (there->deleted)
    return fail(
        Reason::already_exists,
        fmt::format("{} was deleted, but a live release or endpoint still stands on it, so its name is "
                    "not free yet",
                    there->full_name()));
  return exists_answer(call, created.error(), *there);
}

Result<Response> remove(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const repo::RepoName name, name_in(body, call.caller));
  TRY(const repo::Repository found, administered(services, call, name));
  TRY(const auto standing, govern::dependants(services.database, found.id.raw));
  if (standing.empty()) {
    TRY_DONE(services.hub.repositories.remove(call.caller, found));
    return json_answer(json::object());
  }
  TRY_DONE(services.hub.repositories.retire(call.caller, found));
  json::array dependants;
  std::string names;
  for (const govern::Dependant& each : standing) {
    dependants.emplace_back(json::object{
        {"kind", each.kind}, {"name", each.name}, {"state", each.state}, {"revision", each.revision}});
    if (dependants.size() <= named_max)
      names += fmt::format("{}{} {}", names.empty() ? "" : ", ", each.kind, each.name);
  }
  const std::string warning =
      standing.size() == 1
          ? fmt::format("{} is deleted, but {} still stands on it: its content stays until that ends",
                        found.full_name(), names)
          : fmt::format("{} is deleted, but {} still stand on it: its content stays for them until they end",
                        found.full_name(), names);
  Response response =
      json_answer(json::object{{"warning", warning}, {"kept", true}, {"dependants", std::move(dependants)}});
  response.headers.set("X-Holdfast-Warning", warning);
  return response;
}

Result<Response> tombstones(Services& services, const Call& call) {
  TRY(const auto all, repo::tombstones(services.database));
  json::array out;
  for (const repo::Tombstone& each : all)
    if (services.hub.rights.may_see(call.caller, each.was))
      out.emplace_back(json::object{{"id", each.was.full_name()},
                                    {"type", repo::type_name(each.was.type)},
                                    {"deletedBy", each.by},
                                    {"deletedAt", format_time(each.at)}});
  return json_answer(json::object{{"tombstones", std::move(out)}});
}

Result<Response> move(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const repo::RepoType type, type_in(body, "type"));
  TRY(const std::string_view from_text, codec::json_text(body, "fromRepo"));
  TRY(const std::string_view to_text, codec::json_text(body, "toRepo"));
  TRY(const repo::RepoName from, repo::parse_repo_name(type, from_text));
  TRY(const repo::RepoName to, repo::parse_repo_name(type, to_text));
  TRY(const repo::Repository found, administered(services, call, from));
  TRY(const repo::Repository moved, services.hub.repositories.move(call.caller, found, to));
  return json_answer(created_view(call, moved));
}

Result<std::optional<repo::Gate>> gate_in(const json::object& body) {
  const json::value* value = body.if_contains("gated");
  if (value == nullptr || value->is_null()) return std::optional<repo::Gate>();
  if (value->is_bool() && !value->get_bool()) return std::optional(repo::Gate::none);
  if (value->is_string()) {
    const auto gate = repo::gate_of_name(value->get_string());
    if (gate && *gate != repo::Gate::none) return gate;
  }
  return fail(Reason::bad_request, "\"gated\" must be one of [auto, manual, false]");
}

Result<Response> change_settings(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  repo::RepositoryChange change;
  TRY(change.visibility, visibility_in(body));
  TRY(change.gate, gate_in(body));
  TRY_DONE(services.hub.repositories.change(call.caller, call.repo(), change));
  return json_answer(json::object{
      {"private", change.visibility.value_or(call.repo().visibility) == repo::Visibility::private_}});
}

json::array messages(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(json::object{{"message", text}});
  return out;
}

Result<Response> validate_card(const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view content, codec::json_text(body, "content"));
  TRY(const repo::RepoType type, type_in(body, "repoType"));
  const repo::CardFindings findings = repo::check_card(content, type);
  return json_answer(
      json::object{{"errors", messages(findings.errors)}, {"warnings", messages(findings.warnings)}},
      findings.errors.empty() ? 200 : 400);
}

// Everything the caller may administer in a namespace, with what its files take.
Result<Response> list_owned(Services& services, const Call& call, std::string_view ns) {
  json::array out;
  for (const auto type : {repo::RepoType::model, repo::RepoType::dataset, repo::RepoType::space}) {
    repo::SearchQuery query;
    query.type = type;
    query.author = ns;
    TRY(const repo::SearchPage page, services.hub.search.find(call.caller, query));
    for (const repo::SearchHit& hit : page.hits) {
      if (!services.hub.rights.may_administer(call.caller, hit.repository)) continue;
      out.emplace_back(json::object{{"id", hit.repository.full_name()},
                                    {"type", repo::type_name(type)},
                                    {"updatedAt", format_time(hit.repository.updated)},
                                    {"visibility", repo::visibility_name(hit.repository.visibility)},
                                    {"storage", 0}});
    }
  }
  return json_answer(out);
}

}  // namespace

void add_hub_repo_routes(RouteTable& table, Services& services) {
  const auto with_body = [&](const char* method, const char* pattern, const char* name, Access access,
                             Result<Response> (*function)(Services&, const Call&)) {
    table.add({.method = method,
               .pattern = pattern,
               .name = name,
               .access = access,
               .body_bytes_max = settings_bytes_max,
               .handle = [&services, function](const Call& call) { return function(services, call); }});
  };
  with_body("POST", "/api/repos/create", "hub_repo_create", Access::signed_in_write, create);
  with_body("DELETE", "/api/repos/delete", "hub_repo_delete", Access::signed_in_write, remove);
  with_body("POST", "/api/repos/move", "hub_repo_move", Access::signed_in_write, move);
  with_body("PUT", "/api/{T}/{id}/settings", "hub_repo_settings", Access::repo_admin, change_settings);
  table.add({.method = "GET",
             .pattern = "/api/tombstones",
             .name = "hub_tombstones",
             .access = Access::signed_in,
             .handle = [&services](const Call& call) { return tombstones(services, call); }});
  table.add({.method = "POST",
             .pattern = "/api/validate-yaml",
             .name = "hub_validate_yaml",
             .access = Access::open,
             .body_bytes_max = card_bytes_max,
             .handle = CallHandler(validate_card)});
  table.add(
      {.method = "GET",
       .pattern = "/api/settings/repositories",
       .name = "hub_owned_repositories",
       .access = Access::signed_in,
       .handle = [&services](const Call& call) { return list_owned(services, call, call.caller.name); }});
  table.add(
      {.method = "GET",
       .pattern = "/api/organizations/{org}/settings/repositories",
       .name = "hub_organisation_repositories",
       .access = Access::signed_in,
       .handle = [&services](const Call& call) { return list_owned(services, call, call.capture("org")); }});
}

}  // namespace holdfast::api
