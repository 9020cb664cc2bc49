#include "api/served_answer.h"

#include "api/error_answer.h"
#include "api/served_note.h"
#include "api/served_quota.h"
#include "api/services.h"
#include "base/clock.h"
#include "observe/desk.h"
#include "serve/guards.h"
#include "serve/receipt.h"

namespace holdfast::api {
namespace {

serve::ServedCall served_call(const std::string& door, const Call& call,
                              const Result<net::Response>& answer) {
  serve::ServedCall done{.id = call.context.trace_id,
                         .by = *call.served->by,
                         .user = call.caller.name,
                         .door = door,
                         .captures = call.request.captures,
                         .content_type = std::string(call.request.headers.get("Content-Type")),
                         .input = call.request.body,
                         .output = {}};
  if (answer.ok()) {
    done.status = answer.value().status;
    if (const auto* text = std::get_if<std::string>(&answer.value().body)) done.output = *text;
  } else {
    done.status = reason_row(answer.error().code, answer.error().reason).http_status;
  }
  return done;
}

// Where the caller asked for one and the whole answer is known.
void add_receipt(const Services& services, const Call& call, const serve::ServedCall& done,
                 net::Response& response) {
  const std::string_view wish = call.request.headers.get("X-Holdfast-Receipt");
  if (wish.empty() || wish == "0" || services.guards == nullptr || services.guards->key == nullptr) return;
  if (!std::holds_alternative<std::string>(response.body)) return;
  response.headers.set("X-Holdfast-Receipt",
                       serve::receipt_header(serve::make_receipt(
                           done, services.guards->runtime, services.clock.wall(), *services.guards->key)));
}

}  // namespace

void say_who_answered(const Call& call, net::Response& response) {
  if (!call.served || !call.served->by) return;
  const serve::ReleaseAnswer& by = *call.served->by;
  response.headers.set("X-Model-Id", by.model.name);
  response.headers.set("X-Model-Revision", by.model.commit);
  response.headers.set("X-Deployment", by.deployment);
  if (call.served->work.cold())
    response.headers.set(
        "X-Holdfast-Cold-Start",
        std::to_string(std::chrono::ceil<std::chrono::milliseconds>(call.served->work.load).count()));
  if (!by.tokenizer.empty()) response.headers.set("X-Tokenizer-Digest", by.tokenizer);
  if (const serve::Work& work = call.served->work; work.cached_inputs > 0)
    response.headers.set("X-Holdfast-Cache", work.missed_inputs > 0 ? "partial" : "hit");
  else if (work.missed_inputs > 0)
    response.headers.set("X-Holdfast-Cache", "miss");
  if (!call.served->trace.trace.empty())
    response.headers.set("traceparent", observe::traceparent(call.served->trace));
}

Result<net::Response> answer_and_tell(Services& services, const std::string& door, const Call& call,
                                      const CallHandler& handler) {
  const auto began = services.clock.now();
  const WallTime began_at = services.clock.wall();
  observe::Desk* desk = call.served ? call.served->desk : nullptr;
  const auto ticked = desk == nullptr ? std::chrono::nanoseconds{} : desk->ticks().now();
  if (call.served && desk != nullptr && call.served->trace.trace.empty())
    call.served->trace = desk->begin(call.request.headers.get("traceparent"), call.context.trace_id);
  Result<net::Response> answer = handler(call);
  if (!call.served || !call.served->by) return answer;
  if (answer.ok()) say_who_answered(call, answer.value());
  if (call.request.method != "POST" || call.served->told) return answer;
  call.served->told = true;
  settle_quota(services, call, answer);
  serve::ServedCall done = served_call(door, call, answer);
  done.took = services.clock.now() - began;
  if (answer.ok()) add_receipt(services, call, done, answer.value());
  if (call.served->retention == ServedNote::Retention::none) {
    done.input.clear();
    done.output.clear();
  }
  if (desk != nullptr)
    desk->served({.call = done,
                  .work = call.served->work,
                  .took = desk->ticks().now() - ticked,
                  .began = began_at,
                  .error = answer.ok() ? nullptr : &answer.error(),
                  .caller = &call.caller,
                  .trace = call.served->trace,
                  .method = call.request.method,
                  .route = call.served->route,
                  .upstream_span = call.served->upstream_span});
  if (services.release_gate != nullptr) services.release_gate->served(std::move(done));
  return answer;
}

}  // namespace holdfast::api
