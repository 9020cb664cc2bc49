#include "api/session_routes.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <memory>

#include "api/error_answer.h"
#include "api/route_rows.h"
#include "api/services.h"
#include "api/session_cookie.h"
#include "base/secret.h"
#include "codec/json.h"
#include "identity/accounts.h"
#include "identity/names.h"
#include "identity/sessions.h"
#include "identity/sign_in_guard.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t body_bytes_max = 8 << 10;

json::object person_view(const identity::User& user) {
  return {{"name", user.name},
          {"fullname", user.fullname.empty() ? user.name : user.fullname},
          {"admin", user.kind == identity::UserKind::administrator},
          {"has_password", user.has_password}};
}

json::object session_view(const identity::Session& session, const identity::User& user, std::string csrf) {
  json::array people;
  for (const identity::SessionPerson& one : session.people)
    people.emplace_back(
        json::object{{"name", one.name}, {"fullname", one.fullname.empty() ? one.name : one.fullname}});
  json::array organisations;
  for (const identity::Membership& one : session.caller.memberships)
    organisations.emplace_back(
        json::object{{"name", one.organisation}, {"role", identity::org_role_name(one.role)}});
  return {{"user", person_view(user)},
          {"people", std::move(people)},
          {"organizations", std::move(organisations)},
          {"expires", format_time(session.expires)},
          {"csrf", std::move(csrf)}};
}

Response answer(const json::value& value) {
  Response response = json_answer(value);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Result<Response> current(Services& services, const Call& call) {
  const json::value nobody = json::object{{"user", nullptr}};
  const auto cookie = session_cookie_of(call.request);
  if (!cookie || !call.caller.by_session()) return answer(nobody);
  TRY(const auto session, services.sessions.find(*cookie));
  if (!session) return answer(nobody);
  TRY(const identity::User user, services.accounts.find_user(session->caller.user));
  return answer(session_view(*session, user, services.sessions.csrf_token(*cookie)));
}

// Signing in has no session to prove itself with. That another site's page is behind it shows in what
// browsers add by themselves, and in a content type that none may send across sites unasked.
Status check_same_site(const Call& call) {
  const auto refused = [] { return fail(Reason::forbidden, "Sign in from this server's own page"); };
  if (!call.request.headers.get("Content-Type").starts_with("application/json")) return refused();
  const auto origin = call.request.headers.find("Origin");
  const std::string_view host = call.request.headers.get("Host");
  if (origin && *origin != call.base_url && !origin->ends_with(fmt::format("://{}", host))) return refused();
  const auto site = call.request.headers.find("Sec-Fetch-Site");
  if (site && *site != "same-origin") return refused();
  return Done{};
}

Result<Response> signed_in(Services& services, const Call& call, const identity::IssuedSession& issued) {
  TRY(const identity::User user, services.accounts.find_user(issued.session.caller.user));
  Response response =
      answer(session_view(issued.session, user, services.sessions.csrf_token(issued.value.reveal())));
  response.headers.set("Set-Cookie", session_cookie(issued, services.clock.wall(), call.base_url));
  // The browser was in another session: it ends with this one's begin.
  if (const auto before = session_cookie_of(call.request)) TRY_DONE(services.sessions.close(*before));
  return response;
}

Result<Response> sign_in(Services& services, identity::SignInGuard& guard, const Call& call) {
  using Outcome = identity::SignInGuard::Outcome;
  TRY_DONE(check_same_site(call));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view name, codec::json_text(body, "name"));
  TRY(const std::string_view password, codec::json_text(body, "password"));
  TRY_DONE(guard.begin(name, call.request.peer));
  const auto user = services.accounts.check_password(name, Secret(std::string(password)));
  guard.end(name, call.request.peer, user.ok() ? Outcome::matched : Outcome::failed);
  if (!user.ok())
    return user.error().reason == Reason::bad_credentials
               ? fail(Reason::bad_credentials, "That name and password do not go together")
               : user.error();
  TRY(const identity::IssuedSession issued, services.sessions.open(user.value()));
  return signed_in(services, call, issued);
}

Result<Response> sign_in_by_link(Services& services, const Call& call) {
  TRY_DONE(check_same_site(call));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view link, codec::json_text(body, "link"));
  TRY(const identity::IssuedSession issued, services.sessions.open_by_link(link));
  return signed_in(services, call, issued);
}

Result<Response> switch_person(Services& services, const Call& call) {
  const auto cookie = session_cookie_of(call.request);
  if (!cookie || !call.caller.by_session())
    return fail(Reason::forbidden, "Only a browser that is signed in can switch");
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view name, codec::json_text(body, "name"));
  TRY(const identity::IssuedSession issued, services.sessions.switch_to(*cookie, name));
  return signed_in(services, call, issued);
}

Result<Response> sign_out(Services& services, const Call& call) {
  if (const auto cookie = session_cookie_of(call.request)) TRY_DONE(services.sessions.close(*cookie));
  Response response = answer(json::object{{"user", nullptr}});
  response.headers.set("Set-Cookie", ended_session_cookie(call.base_url));
  return response;
}

}  // namespace

void add_session_routes(RouteTable& table, Services& services) {
  const auto guard = std::make_shared<identity::SignInGuard>(services.clock);
  const auto add = route_adder(table, body_bytes_max);
  const auto bound = [&services](Result<Response> (*function)(Services&, const Call&)) {
    return [&services, function](const Call& call) { return function(services, call); };
  };
  add("GET", "/api/session", "session", Access::open, bound(current));
  add("POST", "/api/session", "session_open", Access::open,
      [&services, guard](const Call& call) { return sign_in(services, *guard, call); });
  add("DELETE", "/api/session", "session_close", Access::open, bound(sign_out));
  add("POST", "/api/session/link", "session_link", Access::open, bound(sign_in_by_link));
  add("POST", "/api/session/switch", "session_switch", Access::signed_in, bound(switch_person));
}

}  // namespace holdfast::api
