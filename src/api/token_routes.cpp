#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <chrono>

#include "api/error_answer.h"
#include "api/services.h"
#include "api/session_routes.h"
#include "codec/json.h"
#include "identity/names.h"
#include "identity/scope.h"
#include "identity/tokens.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using identity::TokenInfo;
using net::Response;

constexpr uint64_t body_bytes_max = 64 << 10;
constexpr int64_t days_max = 3650;

// A token that makes tokens would outlive its own revocation, so only a browser's session may.
Status check_session(const Call& call) {
  if (call.caller.by_session()) return Done{};
  return fail(Reason::forbidden, "Tokens are made and revoked in the browser, or with `holdfast token`");
}

json::value time_view(const std::optional<WallTime>& time) {
  return time ? json::value(format_time(*time)) : json::value(nullptr);
}

json::object token_view(const TokenInfo& token, WallTime now) {
  json::array scopes;
  for (const identity::Scope& scope : token.scopes) scopes.emplace_back(identity::scope_text(scope));
  return {{"id", token.id.raw},
          {"name", token.label},
          {"role", identity::token_role_name(token.role)},
          {"scopes", std::move(scopes)},
          {"created", format_time(token.created)},
          {"expires", time_view(token.expires)},
          {"last_used", time_view(token.last_used)},
          {"revoked", time_view(token.revoked)},
          {"found_in", token.found_in.empty() ? json::value(nullptr) : json::value(token.found_in)},
          {"warns", time_view(token.warns)},
          {"ends", time_view(token.ends)},
          {"ends_by", token.ends_by.empty() ? json::value(nullptr) : json::value(token.ends_by)},
          {"ageing", token.is_ageing(now)},
          {"replaced_by", token.replaced_by ? json::value(token.replaced_by->raw) : json::value(nullptr)}};
}

Response answer(const json::value& value) {
  Response response = json_answer(value);
  response.headers.set("Cache-Control", "no-store");
  return response;
}

Result<Response> list(Services& services, const Call& call) {
  TRY_DONE(check_session(call));
  TRY(const std::vector<TokenInfo> tokens, services.tokens.list(call.caller.user));
  json::array out;
  for (const TokenInfo& token : tokens)
    if (!token.revoked) out.emplace_back(token_view(token, services.clock.wall()));
  TRY(const std::vector<TokenInfo> lost, services.tokens.leaked(call.caller.user));
  json::array leaked;
  for (const TokenInfo& token : lost) leaked.emplace_back(token_view(token, services.clock.wall()));
  return answer(json::object{{"tokens", std::move(out)}, {"leaked", std::move(leaked)}});
}

Result<Response> create(Services& services, const Call& call) {
  TRY_DONE(check_session(call));
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const std::string_view label, codec::json_text(body, "name"));
  TRY(const std::string_view role_name, codec::json_text(body, "role"));
  TRY(const auto days, codec::json_integer_if(body, "days"));
  TRY(const json::array* scopes, codec::json_array_if(body, "scopes"));
  const auto role = identity::token_role_of(role_name);
  if (!role) return fail(Reason::bad_request, "\"role\" must be one of [read, write, fine-grained]");
  identity::NewToken wish{.user = call.caller.name, .label = std::string(label), .role = *role};
  if (days && (*days < 1 || *days > days_max))
    return fail(Reason::bad_request, "\"days\" must be between 1 and 3650");
  if (days) wish.expires = services.clock.wall() + std::chrono::hours(24 * *days);
  if (scopes != nullptr)
    for (const json::value& scope : *scopes) {
      if (!scope.is_string()) return fail(Reason::bad_request, "\"scopes\" must be texts");
      TRY(identity::Scope parsed, identity::parse_scope(std::string_view(scope.get_string())));
      wish.scopes.push_back(std::move(parsed));
    }
  TRY(const identity::IssuedToken issued, services.tokens.create(call.caller.name, wish));
  json::object out = token_view(issued.info, services.clock.wall());
  out["token"] = issued.value.reveal();
  return answer(out);
}

Result<Response> revoke(Services& services, const Call& call) {
  TRY_DONE(check_session(call));
  const std::string_view text = call.capture("token");
  identity::TokenId id;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.raw);
  const auto missing = [] { return fail(Code::not_found, "You have no such token"); };
  if (error != std::errc{} || end != text.data() + text.size()) return missing();
  const auto token = services.tokens.find(id);
  if (!token.ok() && token.error().code != Code::not_found) return token.error();
  if (!token.ok() || token.value().user != call.caller.user) return missing();
  TRY_DONE(services.tokens.revoke(call.caller.name, id));
  return answer(json::object{});
}

}  // namespace

void add_token_routes(RouteTable& table, Services& services) {
  const auto add = [&](const char* method, const char* pattern, const char* name, ServiceHandler handler) {
    table.add(method, pattern, name, Access::signed_in, body_bytes_max, services, handler);
  };
  add("GET", "/api/tokens", "tokens", list);
  add("POST", "/api/tokens", "token_create", create);
  add("DELETE", "/api/tokens/{token}", "token_revoke", revoke);
}

}  // namespace holdfast::api
