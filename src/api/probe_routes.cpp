#include "api/probe_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/engine_stream.h"
#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/services.h"
#include "codec/json.h"
#include "govern/registry.h"
#include "identity/permission.h"
#include "observe/endpoint_probes.h"
#include "serve/guards.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;
using observe::EndpointProbe;

constexpr size_t path_bytes_max = 200;

// The endpoint, which its namespace's administrators may have asked.
Result<govern::Endpoint> endpoint_of(const Services& services, const GovernDoor& door, const Call& call) {
  TRY(govern::Endpoint endpoint, door.registry.endpoints.find(call.caller, record_in_path(call)));
  const identity::Resource resource{
      .kind = identity::EntityKind::endpoint, .ns = call.capture("ns"), .name = call.capture("name")};
  if (!services.permission.may(call.caller, identity::Right::admin, resource))
    return fail(Reason::forbidden, "the probes of an endpoint are its namespace's administrators'");
  return endpoint;
}

Result<Response> show(const Services& services, const GovernDoor& door, const Call& call) {
  TRY(const govern::Endpoint endpoint, endpoint_of(services, door, call));
  TRY(const auto probes, observe::read_probes(services.database, endpoint.id));
  json::array out;
  for (const EndpointProbe& probe : probes) {
    TRY(json::value body, codec::parse_json(probe.body));
    json::value answer;
    if (!probe.answer.empty()) {
      TRY(answer, codec::parse_json(probe.answer));
    }
    out.push_back(json::object{
        {"path", probe.path},
        {"body", std::move(body)},
        {probe.stated ? "expect" : "answer", std::move(answer)},
        {"revision", probe.revision.empty() ? json::value(nullptr) : json::value(probe.revision)}});
  }
  return json_answer(json::object{{"endpoint", endpoint.id}, {"probes", std::move(out)}});
}

Result<EndpointProbe> read_probe(const json::value& value) {
  if (!value.is_object()) return fail(Reason::bad_request, "a probe is an object");
  const json::object& object = value.get_object();
  for (const auto& [key, member] : object)
    if (key != "path" && key != "body" && key != "expect")
      return fail(Reason::bad_request, "a probe has 'path', 'body' and, where it is known, 'expect'");
  EndpointProbe probe;
  TRY(const auto path, codec::json_text_if(object, "path"));
  probe.path = path.value_or("");
  if (probe.path.starts_with('/')) probe.path.erase(0, 1);
  const bool plain = std::all_of(probe.path.begin(), probe.path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/_-.").find(c) != std::string_view::npos;
  });
  if (!plain || probe.path.find("..") != std::string::npos || probe.path.size() > path_bytes_max)
    return fail(Reason::bad_request, "'path' is what stands below the endpoint's address: v1/embeddings");
  TRY(const json::object* body, codec::json_object(object, "body"));
  probe.body = codec::to_text(json::value(*body));
  if (asks_for_stream(probe.path, probe.body))
    return fail(Reason::bad_request, "a probe is answered whole, without 'stream'");
  if (const json::value* expect = object.if_contains("expect"); expect != nullptr && !expect->is_null()) {
    probe.stated = true;
    probe.answer = codec::to_text(*expect);
  }
  if (probe.body.size() > observe::probe_bytes_max || probe.answer.size() > observe::probe_bytes_max)
    return fail(Reason::bad_request, fmt::format("a probe has at most {} bytes", observe::probe_bytes_max));
  return probe;
}

Result<Response> set(const Services& services, const GovernDoor& door, const Call& call) {
  TRY(const govern::Endpoint endpoint, endpoint_of(services, door, call));
  if (!endpoint.record.empty())
    return fail(Code::conflict, "the golden examples of its record are what this endpoint is asked");
  if (services.guards != nullptr && services.guards->retention == serve::Guards::Retention::none)
    return fail(Reason::policy_refused, "this server keeps nothing of what models are asked and answer");
  TRY(const json::object body, codec::parse_json_object(call.request.body));
  TRY(const json::array* list, codec::json_array(body, "probes"));
  if (list->size() > observe::endpoint_probes_max)
    return fail(Reason::bad_request,
                fmt::format("an endpoint has at most {} probes", observe::endpoint_probes_max));
  std::vector<EndpointProbe> probes;
  for (const json::value& one : *list) {
    TRY(EndpointProbe probe, read_probe(one));
    probes.push_back(std::move(probe));
  }
  TRY_DONE(observe::set_probes(services.database, endpoint.id, probes));
  return show(services, door, call);
}

}  // namespace

void add_probe_routes(RouteTable& table, Services& services, const GovernDoor& door) {
  table.add({.method = "GET",
             .pattern = "/api/endpoints/{ns}/{name}/probes",
             .name = "endpoint_probes",
             .access = Access::signed_in,
             .handle = [&services, door](const Call& call) { return show(services, door, call); }});
  table.add({.method = "PUT",
             .pattern = "/api/endpoints/{ns}/{name}/probes",
             .name = "endpoint_probes_set",
             .access = Access::signed_in_write,
             .body_bytes_max = govern_body_bytes_max,
             .handle = [&services, door](const Call& call) { return set(services, door, call); }});
}

}  // namespace holdfast::api
