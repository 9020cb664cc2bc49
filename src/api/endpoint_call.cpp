#include "api/endpoint_call.h"

#include <fmt/format.h>

#include "api/served_answer.h"
#include "api/served_note.h"
#include "api/services.h"
#include "govern/registry.h"
#include "net/client.h"

namespace holdfast::api {
namespace {

constexpr std::chrono::seconds engine_timeout{60};

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
  const Call call{.request = request,
                  .context = outer.context,
                  .caller = outer.caller,
                  .type = {},
                  .found = {},
                  .base_url = outer.base_url,
                  .served = note};
  if (telling == Telling::keep_quiet) return (*handler)(call);
  return answer_and_tell(services, row.name, call, *handler);
}

const govern::Attachment* attachment_for(const govern::Endpoint& endpoint, std::string_view revision) {
  for (const govern::Attachment& attachment : endpoint.attachments)
    if (attachment.revision == revision) return &attachment;
  return nullptr;
}

Result<net::Response> forward(const GovernDoor& door, const govern::Endpoint& endpoint,
                              const govern::Attachment& attachment, const Context& context,
                              const InnerRequest& request, std::string_view rest) {
  TRY(const Secret token, door.registry.endpoints.token_of(endpoint.id, attachment.revision));
  net::ClientRequest out;
  out.method = request.method;
  out.url = rest.empty() ? attachment.url : fmt::format("{}/{}", attachment.url, rest);
  if (!request.content_type.empty()) out.headers.set("Content-Type", request.content_type);
  out.headers.set("X-Request-Id", context.trace_id);
  out.headers.set("traceparent",
                  fmt::format("00-{}-{}-01", context.trace_id, context.trace_id.substr(0, 16)));
  if (!token.empty()) out.headers.set("Authorization", "Bearer " + token.reveal());
  out.body = request.body;
  out.timeout = engine_timeout;
  net::Client& client = attachment.anywhere ? door.any_engines : door.public_engines;
  TRY(net::ClientResponse answer, client.send(out, context));
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
