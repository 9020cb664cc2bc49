#include "api/endpoint_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/engine_stream.h"
#include "api/served_answer.h"
#include "api/served_note.h"
#include "api/services.h"
#include "base/random.h"
#include "codec/json.h"
#include "govern/registry.h"
#include "net/client.h"
#include "observe/desk.h"

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

// What an engine of OpenAI's kind says that its answer took; none of others.
uint64_t count_tokens(const std::string& body) {
  if (body.size() > counted_bytes_max || body.find("\"usage\"") == std::string::npos) return 0;
  const auto object = codec::parse_json_object(body);
  if (!object.ok()) return 0;
  const auto usage = codec::json_object_if(object.value(), "usage");
  if (!usage.ok() || usage.value() == nullptr) return 0;
  const auto total = codec::json_integer_if(*usage.value(), "total_tokens");
  return total.ok() ? static_cast<uint64_t>(std::max<int64_t>(total.value().value_or(0), 0)) : 0;
}

}  // namespace

const ApiRoute* route_named(const RouteTable& table, std::string_view name) {
  for (const ApiRoute& row : table.routes())
    if (row.name == name) return &row;
  return nullptr;
}

Result<net::Response> run_inner(Services& services, const ApiRoute& row, const Call& outer,
                                const InnerRequest& inner, const serve::ReleaseAnswer& by, Telling telling) {
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
  auto answer = answer_and_tell(services, row.name, call, *handler);
  if (outer.served && note->dialect) outer.served->dialect = note->dialect;
  if (outer.served) outer.served->work.retry_after = note->work.retry_after;
  return answer;
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
  TRY(const Secret token, door.registry.endpoints.token_of(endpoint.id, attachment.revision));
  net::ClientRequest out;
  out.method = request.method;
  out.url = rest.empty() ? attachment.url : fmt::format("{}/{}", attachment.url, rest);
  if (!request.content_type.empty()) out.headers.set("Content-Type", request.content_type);
  out.headers.set("X-Request-Id", call.context.trace_id);
  if (call.served && !call.served->trace.trace.empty()) {
    observe::TraceContext upstream = call.served->trace;
    upstream.span = call.served->upstream_span = services.random.hex(8);
    out.headers.set("traceparent", observe::traceparent(upstream));
  }
  if (!token.empty()) out.headers.set("Authorization", "Bearer " + token.reveal());
  out.body = request.body;
  out.timeout = engine_timeout;
  net::Client& client = attachment.anywhere ? door.any_engines : door.public_engines;
  if (door.streams != nullptr && asks_for_stream(rest, request.body)) {
    out.timeout = stream_timeout;
    if (call.served) call.served->work.add({.inputs = 1});
    return door.streams->open(client, std::move(out), call.context);
  }
  observe::Desk* desk = call.served ? call.served->desk : nullptr;
  const auto began = desk == nullptr ? std::chrono::nanoseconds{} : desk->ticks().now();
  auto sent = client.send(out, call.context);
  if (desk != nullptr)
    call.served->work.add({.model = desk->ticks().now() - began, .inputs = count_inputs(request.body)});
  TRY(net::ClientResponse answer, std::move(sent));
  if (call.served) call.served->work.tokens += count_tokens(answer.body);
  net::Response response;
  response.status = answer.status;
  const std::string_view type = answer.headers.get("Content-Type");
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("Content-Security-Policy", "sandbox");  // It is a stranger's text on our origin.
  response.headers.set("Content-Type", std::string(type.empty() ? "application/json" : type));
  if (const auto retry = answer.headers.find("Retry-After"))
    response.headers.set("Retry-After", std::string(*retry));
  response.body = std::move(answer.body);
  return response;
}

}  // namespace holdfast::api
