#include "api/served_answer.h"

#include "api/error_answer.h"
#include "api/served_note.h"
#include "api/services.h"
#include "base/clock.h"

namespace holdfast::api {
namespace {

void say_who_answered(const serve::ReleaseAnswer& by, net::Response& response) {
  response.headers.set("X-Model-Id", by.model.name);
  response.headers.set("X-Model-Revision", by.model.commit);
  response.headers.set("X-Deployment", by.deployment);
  if (!by.tokenizer.empty()) response.headers.set("X-Tokenizer-Digest", by.tokenizer);
}

}  // namespace

Result<net::Response> answer_and_tell(Services& services, const std::string& door, const Call& call,
                                      const CallHandler& handler) {
  const auto begin = services.clock.now();
  Result<net::Response> answer = handler(call);
  if (!call.served || !call.served->by) return answer;
  const serve::ReleaseAnswer& by = *call.served->by;
  if (answer.ok()) say_who_answered(by, answer.value());
  if (services.release_gate == nullptr || call.request.method != "POST") return answer;
  serve::ServedCall done{.id = call.context.trace_id,
                         .by = by,
                         .user = call.caller.name,
                         .door = door,
                         .captures = call.request.captures,
                         .content_type = std::string(call.request.headers.get("Content-Type")),
                         .input = call.request.body,
                         .output = {},
                         .took = services.clock.now() - begin};
  if (answer.ok()) {
    done.status = answer.value().status;
    if (const auto* text = std::get_if<std::string>(&answer.value().body)) done.output = *text;
  } else {
    done.status = reason_row(answer.error().code, answer.error().reason).http_status;
  }
  services.release_gate->served(std::move(done));
  return answer;
}

}  // namespace holdfast::api
