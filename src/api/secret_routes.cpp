#include "api/secret_routes.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/error_answer.h"
#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr uint64_t body_bytes_max = 64 << 10;

json::object secret_view(const identity::SecretEntry& entry) {
  return {{"name", entry.name},
          {"place", identity::secret_place_name(entry.place)},
          {"reference", entry.reference},
          {"host", entry.host},
          {"by", entry.by},
          {"updated", format_time(entry.updated)}};
}

Result<Response> list(identity::Secrets& secrets) {
  TRY(const auto entries, secrets.list());
  json::array out;
  for (const identity::SecretEntry& entry : entries) out.emplace_back(secret_view(entry));
  return json_answer(json::object{{"secrets", std::move(out)}});
}

Result<Response> set(identity::Secrets& secrets, const Call& call) {
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const auto place, codec::json_text_if(body, "place"));
  TRY(const auto reference, codec::json_text_if(body, "reference"));
  TRY(const auto host, codec::json_text_if(body, "host"));
  TRY(const auto value, codec::json_text_if(body, "value"));
  const auto named = identity::secret_place_of_name(place.value_or("stored"));
  if (!named) return fail(Reason::bad_request, "\"place\" must be one of [stored, environment, file, vault]");
  TRY_DONE(secrets.set(call.caller.name, {.name = std::string(call.capture("name")),
                                          .place = *named,
                                          .reference = std::string(reference.value_or("")),
                                          .host = std::string(host.value_or("")),
                                          .value = Secret(std::string(value.value_or("")))}));
  return json_answer(json::object{{"name", call.capture("name")}, {"set", true}});
}

Result<Response> remove(identity::Secrets& secrets, const Call& call) {
  TRY_DONE(secrets.remove(call.caller.name, call.capture("name")));
  return json_answer(json::object{{"name", call.capture("name")}, {"removed", true}});
}

}  // namespace

void add_secret_routes(RouteTable& table, identity::Secrets& secrets) {
  const auto add = [&](const char* method, const char* pattern, const char* name, CallHandler handler) {
    table.add({.method = method,
               .pattern = pattern,
               .name = name,
               .access = Access::instance_admin,
               .body_bytes_max = body_bytes_max,
               .handle = std::move(handler)});
  };
  add("GET", "/api/secrets", "secrets", [&secrets](const Call&) { return list(secrets); });
  add("PUT", "/api/secrets/{name}", "secret_set",
      [&secrets](const Call& call) { return set(secrets, call); });
  add("DELETE", "/api/secrets/{name}", "secret_remove",
      [&secrets](const Call& call) { return remove(secrets, call); });
}

}  // namespace holdfast::api
