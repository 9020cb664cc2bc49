// POST /api/registry/requests/{id}/replay: the same request, asked of the same revision again.
#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "api/ask_again.h"
#include "api/endpoint_call.h"
#include "api/error_answer.h"
#include "api/govern_call.h"
#include "api/read_stream.h"
#include "api/services.h"
#include "codec/hex.h"
#include "codec/sha256.h"
#include "govern/registry.h"
#include "serve/receipt.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;
using net::Response;

constexpr size_t replayed_bytes_max = 16 << 20;

std::string_view captured(const govern::KeptRequest& kept, std::string_view name) {
  for (const auto& [key, value] : kept.captures)
    if (key == name) return value;
  return {};
}

json::object side(std::string_view body) {
  return {{"sha256", codec::to_hex(codec::sha256(as_bytes(body)))}, {"body", body}};
}

}  // namespace

Result<Response> ask_again(const RouteTable& table, Services& services, const GovernDoor& door,
                           const Call& call, const govern::KeptRequest& kept) {
  const serve::ReleaseAnswer by{.model = {kept.repository, kept.model, kept.revision},
                                .deployment = kept.deployment,
                                .tokenizer = kept.tokenizer,
                                .record = kept.record,
                                .feature = kept.feature,
                                .release = kept.release};
  const InnerRequest inner{.method = "POST",
                           .target = fmt::format("/models/{}", kept.model),
                           .content_type = kept.content_type,
                           .body = *kept.input,
                           .captures = kept.captures};
  if (kept.door == attached_door) {
    const std::string id = fmt::format("{}/{}", captured(kept, "ns"), captured(kept, "name"));
    TRY(const govern::Endpoint endpoint, door.registry.endpoints.find(call.caller, id));
    const govern::Attachment* attachment = attachment_for(endpoint, kept.revision);
    if (attachment == nullptr) return fail(Code::conflict, "its engine is not attached any more");
    return forward(services, door, endpoint, *attachment, call, inner, captured(kept, "rest"));
  }
  const ApiRoute* row = route_named(table, kept.door);
  if (row == nullptr)
    return fail(Code::conflict, fmt::format("the door {} is not there any more", kept.door));
  return run_inner(services, *row, call, inner, by, Telling::keep_quiet);
}

namespace {

Result<Response> replay(const RouteTable& table, Services& services, const GovernDoor& door,
                        const Call& call) {
  TRY(const govern::KeptRequest kept,
      door.registry.requests.find(call.caller, std::string(call.capture("request")),
                                  govern::Requests::Content::with));
  if (!kept.input || kept.input->empty() || !kept.output || kept.status != 200)
    return fail(Code::conflict, "this request was not kept whole, or had no answer");
  TRY(const Response again, ask_again(table, services, door, call, kept));
  TRY(const std::string body, read_answer(again, call.context, replayed_bytes_max));
  return json_answer(
      json::object{{"identical", serve::answer_digest(*kept.output) == serve::answer_digest(body)},
                   {"request", kept.id},
                   {"revision", kept.revision},
                   {"tokenizer", kept.tokenizer},
                   {"deployment", kept.deployment},
                   {"original", side(*kept.output)},
                   {"replayed", side(body)}});
}

}  // namespace

void add_govern_replay_routes(RouteTable& table, Services& services, const GovernDoor& door) {
  table.add({.method = "POST",
             .pattern = "/api/registry/requests/{request}/replay",
             .name = "govern_replay",
             .access = Access::signed_in,
             .body_bytes_max = govern_body_bytes_max,
             .handle = CallHandler([&table, &services, door](const Call& call) {
               return replay(table, services, door, call);
             })});
}

}  // namespace holdfast::api
