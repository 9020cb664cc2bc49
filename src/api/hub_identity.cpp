#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/services.h"
#include "base/clock.h"
#include "codec/json.h"
#include "identity/accounts.h"
#include "identity/names.h"
#include "identity/scope.h"
#include "identity/tokens.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

json::object organisation_item(const identity::Organisation& organisation, std::string_view role) {
  return {{"type", "org"},
          {"id", organisation.name},
          {"name", organisation.name},
          {"fullname", organisation.fullname.empty() ? organisation.name : organisation.fullname},
          {"email", nullptr},
          {"avatarUrl", ""},
          {"isEnterprise", false},
          {"canPay", false},
          {"periodEnd", nullptr},
          {"roleInOrg", role}};
}

json::array organisations_of(Services& services, std::span<const identity::Membership> memberships) {
  json::array out;
  for (const identity::Membership& membership : memberships) {
    const auto organisation = services.accounts.find_organisation(membership.organisation);
    if (organisation.ok())
      out.emplace_back(organisation_item(organisation.value(), identity::org_role_name(membership.role)));
  }
  return out;
}

json::value time_view(const std::optional<WallTime>& time) {
  return time ? json::value(format_time(*time)) : json::value(nullptr);
}

json::object token_view(const identity::TokenInfo& token, WallTime now) {
  json::object out{{"displayName", token.label},
                   {"role", identity::token_role_name(token.role)},
                   {"createdAt", format_time(token.created)},
                   {"endsAt", time_view(token.ends)},
                   {"endsBy", token.ends_by},
                   {"ageing", token.is_ageing(now)}};
  if (token.role != identity::TokenRole::fine_grained) return out;
  auto scoped = codec::parse_json(identity::scopes_json(token.scopes));
  out["fineGrained"] = json::object{{"canReadGatedRepos", true},
                                    {"global", json::array()},
                                    {"scoped", scoped.ok() ? scoped.value() : json::value(json::array())}};
  return out;
}

json::object ageing_notice(const identity::TokenInfo& token, WallTime now) {
  const bool ended = token.ended_by_age(now);
  std::string message =
      fmt::format("The token \"{}\" was made at {}", token.label, format_time(token.created));
  if (ended)
    message +=
        fmt::format(" and ended at {}, because {} lets it grow no older: make a new one, and revoke this one",
                    format_time(*token.ends), token.ends_by);
  else if (token.ends)
    message += fmt::format(" and ends at {}: make a new one, or have it rotated", format_time(*token.ends));
  else
    message += " and is old by now: make a new one, or have it rotated";
  return {{"kind", ended ? "token-ended" : "token-ageing"},
          {"token", token.id.raw},
          {"name", token.label},
          {"endsBy", token.ends_by},
          {"at", time_view(token.ends)},
          {"message", std::move(message)}};
}

// What its user has to know, by whatever token or session is left: those that a scan ended, and those that
// grow too old.
Result<json::array> notices(Services& services, const Call& call) {
  TRY(const std::vector<identity::TokenInfo> leaked, services.tokens.leaked(call.caller.user));
  json::array out;
  for (const identity::TokenInfo& token : leaked)
    out.emplace_back(json::object{
        {"kind", "token-leaked"},
        {"token", token.id.raw},
        {"name", token.label},
        {"foundIn", token.found_in},
        {"at", token.revoked ? json::value(format_time(*token.revoked)) : json::value(nullptr)},
        {"message", fmt::format("The token \"{}\" was found in {} and is revoked: make a new one, and look "
                                "at what was done with it in the audit log",
                                token.label, token.found_in)}});
  TRY(const std::vector<identity::TokenInfo> ageing, services.tokens.ageing(call.caller.user));
  for (const identity::TokenInfo& token : ageing)
    out.emplace_back(ageing_notice(token, services.clock.wall()));
  return out;
}

Result<Response> whoami(Services& services, const Call& call) {
  TRY(const identity::User user, services.accounts.find_user(call.caller.user));
  json::object out{{"type", "user"},
                   {"id", std::to_string(user.id.raw)},
                   {"name", user.name},
                   {"fullname", user.fullname.empty() ? user.name : user.fullname},
                   {"email", user.email.empty() ? json::value(nullptr) : json::value(user.email)},
                   {"emailVerified", true},
                   {"isPro", false},
                   {"canPay", false},
                   {"periodEnd", nullptr},
                   {"avatarUrl", ""},
                   {"isAdmin", call.caller.admin}};
  out["orgs"] = organisations_of(services, call.caller.memberships);
  TRY(out["notices"], notices(services, call));
  if (call.caller.by_session()) {
    out["auth"] = json::object{{"type", "session"}};
    return json_answer(out);
  }
  TRY(const identity::TokenInfo token, services.tokens.find(call.caller.token));
  out["auth"] =
      json::object{{"type", "access_token"}, {"accessToken", token_view(token, services.clock.wall())}};
  return json_answer(out);
}

Result<Response> user_overview(Services& services, const Call& call) {
  TRY(const identity::User user, services.accounts.find_user(call.capture("user")));
  TRY(const auto memberships, services.accounts.memberships(user.id));
  json::object out{{"_id", std::to_string(user.id.raw)},
                   {"user", user.name},
                   {"fullname", user.fullname.empty() ? user.name : user.fullname},
                   {"avatarUrl", ""},
                   {"details", nullptr},
                   {"isFollowing", false},
                   {"isPro", false},
                   {"type", "user"},
                   {"createdAt", format_time(user.created)},
                   {"numDiscussions", 0},
                   {"numPapers", 0},
                   {"numUpvotes", 0},
                   {"numFollowing", 0},
                   {"numFollowers", 0}};
  const auto count = [&](repo::RepoType type) {
    return services.hub.search.count(call.caller, type, user.name);
  };
  TRY(out["numModels"], count(repo::RepoType::model));
  TRY(out["numDatasets"], count(repo::RepoType::dataset));
  TRY(out["numSpaces"], count(repo::RepoType::space));
  TRY(const auto likes, services.hub.audience.likes_of(user.name));
  out["numLikes"] = likes.size();
  out["orgs"] = organisations_of(services, memberships);
  return json_answer(out);
}

Result<Response> organisation_overview(Services& services, const Call& call) {
  TRY(const identity::Organisation organisation, services.accounts.find_organisation(call.capture("org")));
  TRY(const auto members, services.accounts.members(organisation.name));
  json::object out = organisation_item(organisation, "");
  out.erase("roleInOrg");
  out["details"] = nullptr;
  out["isVerified"] = false;
  out["isFollowing"] = false;
  out["numUsers"] = members.size();
  out["numFollowers"] = 0;
  out["numPapers"] = 0;
  const auto count = [&](repo::RepoType type) {
    return services.hub.search.count(call.caller, type, organisation.name);
  };
  TRY(out["numModels"], count(repo::RepoType::model));
  TRY(out["numDatasets"], count(repo::RepoType::dataset));
  TRY(out["numSpaces"], count(repo::RepoType::space));
  return json_answer(out);
}

Result<Response> organisation_members(Services& services, const Call& call) {
  TRY(const auto members, services.accounts.members(call.capture("org")));
  json::array out;
  for (const identity::Member& member : members)
    out.emplace_back(json::object{{"user", member.user},
                                  {"fullname", member.fullname.empty() ? member.user : member.fullname},
                                  {"avatarUrl", ""},
                                  {"isPro", false},
                                  {"type", "user"},
                                  {"role", identity::org_role_name(member.role)}});
  return json_answer(out);
}

Result<Response> empty_list(Services&, const Call&) { return json_answer(json::array()); }
Result<Response> empty_object(Services&, const Call&) { return json_answer(json::object()); }

using Function = Result<Response> (*)(Services&, const Call&);
CallHandler bound(Services& services, Function function) {
  return [&services, function](const Call& call) { return function(services, call); };
}

}  // namespace

void add_hub_identity_routes(RouteTable& table, Services& services) {
  const auto get = [&](const char* pattern, const char* name, Access access, Function function) {
    table.add({.method = "GET",
               .pattern = pattern,
               .name = name,
               .access = access,
               .handle = bound(services, function)});
  };
  get("/api/whoami-v2", "hub_whoami", Access::signed_in, whoami);
  get("/api/users/{user}/overview", "hub_user_overview", Access::open, user_overview);
  get("/api/users/{user}/followers", "hub_user_followers", Access::open, empty_list);
  get("/api/users/{user}/following", "hub_user_following", Access::open, empty_list);
  get("/api/organizations/{org}/overview", "hub_organisation_overview", Access::open, organisation_overview);
  get("/api/organizations/{org}/members", "hub_organisation_members", Access::signed_in,
      organisation_members);
  get("/api/organizations/{org}/followers", "hub_organisation_followers", Access::open, empty_list);
  // Asked by clients on their own account; errors would cost them a retry.
  get("/api/agent-harnesses", "hub_agent_harnesses", Access::open, empty_object);
  get("/api/telemetry/{topic*}", "hub_telemetry", Access::open, empty_object);
  get("/api/tasks", "hub_tasks", Access::open, empty_object);
}

}  // namespace holdfast::api
