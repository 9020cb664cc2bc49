#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "api/hub_routes.h"
#include "api/services.h"
#include "codec/json.h"
#include "identity/accounts.h"
#include "repo/hub.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t wish_bytes_max = 64 << 10;

Result<Response> done() { return json_answer(json::object()); }

Result<Response> like(Services& services, const Call& call) {
  TRY_DONE(services.hub.audience.like(call.caller, call.repo().id));
  return done();
}
Result<Response> unlike(Services& services, const Call& call) {
  TRY_DONE(services.hub.audience.unlike(call.caller, call.repo().id));
  return done();
}

std::string full_name(Services& services, std::string_view user) {
  const auto found = services.accounts.find_user(user);
  return found.ok() && !found.value().fullname.empty() ? found.value().fullname : std::string(user);
}

Result<Response> likers(Services& services, const Call& call) {
  TRY(const auto all, services.hub.audience.likers(call.repo().id));
  json::array out;
  for (const repo::Liker& liker : all)
    out.emplace_back(json::object{{"user", liker.user},
                                  {"fullname", full_name(services, liker.user)},
                                  {"avatarUrl", ""},
                                  {"type", "user"}});
  return json_answer(out);
}

Result<Response> likes(Services& services, const Call& call) {
  TRY(const auto all, services.hub.audience.likes_of(call.capture("user")));
  json::array out;
  for (const repo::Like& each : all) {
    if (!services.hub.rights.may_find(call.caller, each.repository)) continue;
    out.emplace_back(json::object{{"createdAt", format_time(each.at)},
                                  {"repo", json::object{{"name", each.repository.full_name()},
                                                        {"type", repo::type_name(each.repository.type)}}}});
  }
  return json_answer(out);
}

Result<Response> allowed(Services&, const Call&) { return done(); }

Result<Response> requests(Services& services, const Call& call) {
  const auto status = repo::gate_status_of_name(call.capture("status"));
  if (!status) return fail(Reason::bad_request, "the status must be one of [pending, accepted, rejected]");
  TRY(const auto all, services.hub.audience.requests(call.repo().id, *status));
  json::array out;
  for (const repo::GateRequest& request : all) {
    json::object user{{"user", request.user}, {"fullname", full_name(services, request.user)}};
    out.emplace_back(json::object{{"user", std::move(user)},
                                  {"status", repo::gate_status_name(request.status)},
                                  {"timestamp", format_time(request.at)}});
  }
  return json_answer(out);
}

// The user a request is about, spelt as the account is.
Result<std::string> user_in(Services& services, const json::object& body) {
  TRY(const std::string_view name, codec::json_text(body, "user"));
  TRY(const identity::User user, services.accounts.find_user(name));
  return user.name;
}

Result<Response> handle(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string user, user_in(services, body));
  TRY(const std::string_view word, codec::json_text(body, "status"));
  const auto status = repo::gate_status_of_name(word);
  if (!status) return fail(Reason::bad_request, "\"status\" must be one of [pending, accepted, rejected]");
  TRY_DONE(services.hub.audience.handle(call.repo().id, user, *status));
  return done();
}

Result<Response> grant(Services& services, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string user, user_in(services, body));
  TRY_DONE(services.hub.audience.grant(call.repo().id, user));
  return done();
}

Result<Response> ask(Services& services, const Call& call) {
  TRY(const repo::GateStatus status, services.hub.audience.ask(call.caller, call.repo()));
  return json_answer(json::object{{"status", repo::gate_status_name(status)}});
}

}  // namespace

void add_hub_audience_routes(RouteTable& table, Services& services) {
  const auto add = [&](const char* method, const char* pattern, const char* name, Access access,
                       ServiceHandler handler) {
    table.add(method, pattern, name, access, wish_bytes_max, services, handler);
  };
  add("POST", "/api/{T}/{id}/like", "hub_like", Access::repo_contribute, like);
  add("DELETE", "/api/{T}/{id}/like", "hub_unlike", Access::repo_contribute, unlike);
  add("GET", "/api/{T}/{id}/likers", "hub_likers", Access::repo_read, likers);
  add("GET", "/api/users/{user}/likes", "hub_user_likes", Access::open, likes);
  add("GET", "/api/{T}/{id}/auth-check", "hub_auth_check", Access::repo_content, allowed);
  add("GET", "/api/{T}/{id}/auth-check/write", "hub_auth_check_write", Access::repo_write, allowed);
  add("GET", "/api/{T}/{id}/user-access-request/{status}", "hub_access_requests", Access::repo_admin,
      requests);
  add("POST", "/api/{T}/{id}/user-access-request/handle", "hub_access_handle", Access::repo_admin, handle);
  add("POST", "/api/{T}/{id}/user-access-request/grant", "hub_access_grant", Access::repo_admin, grant);
  add("POST", "/{id}/ask-access", "hub_ask_access", Access::repo_contribute, ask);
}

}  // namespace holdfast::api
