#include "api/endpoint_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <functional>

#include "api/engine_answers.h"
#include "api/engine_stream.h"
#include "api/error_answer.h"
#include "api/kserve_call.h"
#include "api/named_endpoint.h"
#include "api/served_answer.h"
#include "api/served_note.h"
#include "api/services.h"
#include "api/stream_telling.h"
#include "base/log.h"
#include "base/random.h"
#include "codec/json.h"
#include "govern/endpoint_keeper.h"
#include "govern/registry.h"
#include "identity/secrets.h"
#include "net/client.h"
#include "observe/desk.h"
#include "observe/endpoint_probes.h"
#include "serve/fallbacks.h"
#include "serve/guardrails.h"
#include "serve/guards.h"
#include "serve/input_rules.h"
#include "serve/warm_hours.h"

namespace holdfast::api {
namespace {

constexpr std::chrono::seconds engine_timeout{60}, stream_timeout{600};
constexpr size_t counted_bytes_max = 1 << 20;  // Of a body whose inputs are counted.

// How many inputs a body has for an engine; one where it does not say.
uint64_t count_inputs(const std::string& body) {
  if (body.size() > counted_bytes_max) return 1;
  const auto object = codec::parse_json_object(body);
  if (!object.ok()) return 1;
  for (const char* name : {"inputs", "input"})
    if (const boost::json::value* inputs = object.value().if_contains(name);
        inputs != nullptr && inputs->is_array())
      return std::max<uint64_t>(inputs->get_array().size(), 1);
  return 1;
}

void count_tokens(const std::string& body, serve::Work& work) {
  if (body.size() > counted_bytes_max || body.find("\"usage\"") == std::string::npos) return;
  if (const auto object = codec::parse_json_object(body); object.ok()) add_engine_usage(object.value(), work);
}

// "https://host:8000/v1" is on host.
std::string_view host_of(std::string_view url) {
  url.remove_prefix(std::min(url.find("//") + 2, url.size()));
  url = url.substr(0, url.find('/'));
  url.remove_prefix(url.rfind('@') == std::string_view::npos ? 0 : url.rfind('@') + 1);
  if (url.starts_with('[')) return url.substr(0, url.find(']') + 1);
  return url.substr(0, url.find(':'));
}

Result<Secret> engine_token(const GovernDoor& door, const govern::Endpoint& endpoint,
                            const govern::Attachment& attachment) {
  if (attachment.secret.empty()) return door.registry.endpoints.token_of(endpoint.id, attachment.revision);
  const Error unread = fail(Reason::dependency_failed, "the secret for the endpoint's engine cannot be read");
  if (door.secrets == nullptr) return unread;
  auto found = door.secrets->reveal(attachment.secret, host_of(attachment.url));
  if (!found.ok() && found.error().reason != Reason::policy_refused) return unread;
  return found;
}

// What an engine said, as it is told here.
net::Response told_on(EngineAnswer said) {
  net::Response response;
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Content-Security-Policy", "sandbox");  // It is a stranger's text on our origin.
  response.headers.set("Content-Type",
                       said.content_type.empty() ? "application/json" : std::move(said.content_type));
  if (!said.kserve_length.empty())
    response.headers.set(std::string(kserve_length_header), std::move(said.kserve_length));
  response.body = std::move(said.body);
  return response;
}

}  // namespace

const ApiRoute* route_named(const RouteTable& table, std::string_view name) {
  for (const ApiRoute& row : table.routes())
    if (row.name == name) return &row;
  return nullptr;
}

Result<net::Response> run_inner(Services& services, const ApiRoute& row, const Call& outer,
                                const InnerRequest& inner, const serve::ReleaseAnswer& by, Telling telling,
                                const Around& around) {
  const auto* handler = std::get_if<CallHandler>(&row.handle);
  if (handler == nullptr) return fail(Reason::not_offered, "this is not answered here");
  net::Request request;
  request.method = inner.method;
  request.target = inner.target;
  request.headers = outer.request.headers;
  request.headers.set("Content-Type", inner.content_type);
  request.body = inner.body;
  request.peer = outer.request.peer;
  request.secure = outer.request.secure;
  request.captures = inner.captures;
  const auto note = std::make_shared<ServedNote>();  // Shared with the call's copies.
  note->fixed = by;
  if (outer.served) {
    note->desk = outer.served->desk;
    note->trace = outer.served->trace;
    note->quota_subjects = outer.served->quota_subjects;
    note->allowance = outer.served->allowance;
    note->endpoint = outer.served->endpoint;
    note->retention = outer.served->retention;
    note->queue_delay_max = outer.served->queue_delay_max;
    note->route = outer.served->route;
  }
  const Call call{.request = request,
                  .context = outer.context,
                  .caller = outer.caller,
                  .type = {},
                  .found = {},
                  .base_url = outer.base_url,
                  .served = note};
  if (telling == Telling::keep_quiet) {
    note->retention = ServedNote::Retention::none;  // Asked to see what the model says now.
    return (*handler)(call);
  }
  if (outer.served) {
    outer.served->by = by;
    outer.served->told = true;
  }
  auto answer = answer_and_tell(services, row.name, call, around ? around(*handler) : *handler);
  if (outer.served && note->dialect) outer.served->dialect = note->dialect;
  if (outer.served) outer.served->work.retry_after = note->work.retry_after;
  return answer;
}

Status remove_endpoint(Services& services, const GovernDoor& door, const identity::Caller& caller,
                       const std::string& id) {
  TRY(const govern::Endpoint endpoint, door.registry.endpoints.find(caller, id));
  TRY_DONE(door.registry.endpoints.remove(caller, endpoint.id));
  if (door.keeper != nullptr) door.keeper->forget(endpoint);
  if (services.guards != nullptr && services.guards->fallbacks != nullptr)
    TRY_DONE(services.guards->fallbacks->set(endpoint.id, {}));
  if (services.guards != nullptr && services.guards->input_rules != nullptr)
    TRY_DONE(services.guards->input_rules->forget(endpoint.id));
  if (services.guards != nullptr && services.guards->guardrails != nullptr)
    TRY_DONE(services.guards->guardrails->set(endpoint.id, {}));
  if (services.guards != nullptr && services.guards->schedules != nullptr)
    TRY_DONE(services.guards->schedules->set(endpoint.id, {}));
  TRY_DONE(observe::set_probes(services.database, endpoint.id, {}));
  return Done{};
}

const govern::Attachment* attachment_for(const govern::Endpoint& endpoint, std::string_view revision) {
  for (const govern::Attachment& attachment : endpoint.attachments)
    if (attachment.revision == revision) return &attachment;
  return nullptr;
}

Result<AttachedEngine> engine_of(const GovernDoor& door, const identity::Caller& caller,
                                 const govern::Release& release) {
  TRY(std::vector<govern::Endpoint> endpoints, door.registry.endpoints.list(caller));
  for (govern::Endpoint& endpoint : endpoints) {
    if (endpoint.record != release.record || attachment_for(endpoint, release.revision) == nullptr) continue;
    AttachedEngine engine{.endpoint = std::move(endpoint)};
    engine.attachment = attachment_for(engine.endpoint, release.revision);
    return engine;
  }
  return AttachedEngine{};
}

Result<net::Response> forward(Services& services, const GovernDoor& door, const govern::Endpoint& endpoint,
                              const govern::Attachment& attachment, const Call& call,
                              const InnerRequest& request, std::string_view rest) {
  TRY(const Secret token, engine_token(door, endpoint, attachment));
  const std::string path = engine_path(rest, endpoint, attachment);
  net::ClientRequest out;
  out.method = request.method;
  // Addresses of OpenAI's kind are often given with their version.
  std::string_view url = attachment.url;
  if (url.ends_with("/v1") && (path == "v1" || path.starts_with("v1/"))) url.remove_suffix(3);
  out.url = path.empty() ? std::string(url) : fmt::format("{}/{}", url, path);
  if (!request.content_type.empty()) out.headers.set("Content-Type", request.content_type);
  for (const std::string_view header : {kserve_length_header, std::string_view("Accept")})
    if (const auto said = call.request.headers.find(header))
      out.headers.set(std::string(header), std::string(*said));
  out.headers.set("X-Request-Id", call.context.trace_id);
  if (call.served && !call.served->trace.trace.empty()) {
    observe::TraceContext upstream = call.served->trace;
    upstream.span = call.served->upstream_span = services.random.hex(8);
    out.headers.set("traceparent", observe::traceparent(upstream));
  }
  if (!token.empty()) out.headers.set("Authorization", "Bearer " + token.reveal());
  out.body = with_engine_model(request.body, endpoint, attachment);
  out.timeout = engine_timeout;
  net::Client& client = attachment.anywhere ? door.any_engines : door.public_engines;
  if (door.streams != nullptr && asks_for_stream(rest, request.body)) {
    out.timeout = stream_timeout;
    if (call.served) call.served->work.add({.inputs = 1});
    return door.streams->open(client, std::move(out), call.context,
                              {telling_of(call), failure_in_stream(call, Dialect::hub)});
  }
  const KeptEngineAnswer kept(services, call, endpoint, attachment, request, rest);
  if (kept.wanted()) {
    auto before = kept.find();
    const uint64_t inputs = count_inputs(request.body);
    (before ? call.served->work.cached_inputs : call.served->work.missed_inputs) += inputs;
    if (before) {
      call.served->work.add({.inputs = inputs});
      count_tokens(before->body, call.served->work);
      return told_on(std::move(*before));
    }
  }
  observe::Desk* desk = call.served ? call.served->desk : nullptr;
  const auto began = desk == nullptr ? std::chrono::nanoseconds{} : desk->ticks().now();
  auto sent = client.send(out, call.context);
  if (desk != nullptr) {
    const auto took = desk->ticks().now() - began;  // The engine's time is paid for as a worker's.
    call.served->work.add({.model = took, .busy = took, .inputs = count_inputs(request.body)});
  }
  if (!sent.ok()) {
    services.log.failure("engine_failed", sent.error(), {{"trace_id", call.context.trace_id}});
    return without_address(std::move(sent).error());
  }
  net::ClientResponse answer = std::move(sent).value();
  if (call.served) count_tokens(answer.body, call.served->work);
  EngineAnswer said{.content_type = std::string(answer.headers.get("Content-Type")),
                    .kserve_length = std::string(answer.headers.get(kserve_length_header)),
                    .body = std::move(answer.body)};
  if (answer.status == 200) kept.keep(said);
  net::Response response = told_on(std::move(said));
  response.status = answer.status;
  if (const auto retry = answer.headers.find("Retry-After"))
    response.headers.set("Retry-After", std::string(*retry));
  return response;
}

}  // namespace holdfast::api
