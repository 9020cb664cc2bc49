#include "api/served_answer.h"

#include "api/error_answer.h"
#include "api/served_note.h"
#include "api/served_quota.h"
#include "api/services.h"
#include "api/stream_telling.h"
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

bool wants_receipt(const Services& services, const Call& call) {
  const std::string_view wish = call.request.headers.get("X-Holdfast-Receipt");
  return !wish.empty() && wish != "0" && services.guards != nullptr && services.guards->key != nullptr;
}

// Where the caller asked for one and the whole answer is known.
void add_receipt(const Services& services, const Call& call, const serve::ServedCall& done,
                 net::Response& response) {
  if (!wants_receipt(services, call) || !std::holds_alternative<std::string>(response.body)) return;
  response.headers.set("X-Holdfast-Receipt",
                       serve::receipt_header(serve::make_receipt(
                           done, services.guards->runtime, services.clock.wall(), *services.guards->key)));
}

// What is told of a request when it has ended. Borrowed for that.
struct Told {
  Services& services;
  observe::Desk* desk;
  const ServedNote& note;
  const identity::Caller& caller;
  std::string_view method;
  std::chrono::milliseconds began{};
  std::chrono::nanoseconds ticked{};
  WallTime began_at{};
};

void tell(const Told& told, serve::ServedCall done, const Error* error) {
  done.took = told.services.clock.now() - told.began;
  if (told.note.retention == ServedNote::Retention::none) {
    done.input.clear();
    done.output.clear();
  }
  if (told.desk != nullptr)
    told.desk->served({.call = done,
                       .work = told.note.work,
                       .took = told.desk->ticks().now() - told.ticked,
                       .began = told.began_at,
                       .error = error,
                       .caller = &told.caller,
                       .trace = told.note.trace,
                       .method = told.method,
                       .route = told.note.route,
                       .upstream_span = told.note.upstream_span});
  if (told.services.release_gate != nullptr) told.services.release_gate->served(std::move(done));
}

// The same of a stream, which ends after its call is gone.
struct Ending {
  Services& services;
  observe::Desk* desk;
  serve::ServedCall done;
  ServedNote note;  // As it was when the head was made.
  identity::Caller caller;
  std::string method;
  std::chrono::milliseconds began{};
  std::chrono::nanoseconds ticked{};
  WallTime began_at{};

  Told told() const { return {services, desk, note, caller, method, began, ticked, began_at}; }
};

// A stream has ended: what it said joins what was known at its head. Gives back its receipt.
std::string tell_stream(Ending ending, StreamEnd end, bool with_receipt) {
  std::string receipt;
  serve::ServedCall& done = ending.done;
  ending.note.work.add(end.work);
  if (with_receipt && !end.error) {
    std::string answer =
        end.output.size() == end.bytes ? serve::answer_digest(end.output) : end.output_digest;
    receipt = serve::receipt_comment(
        serve::make_receipt(done, end.output_digest, std::move(answer), ending.services.guards->runtime,
                            ending.services.clock.wall(), *ending.services.guards->key));
  }
  done.output = std::move(end.output);
  if (end.error) done.status = reason_row(end.error->code, end.error->reason).http_status;
  settle_stream(ending.services, ending.note);
  const Told told = ending.told();
  tell(told, std::move(done), end.error ? &*end.error : nullptr);
  return receipt;
}

}  // namespace

void say_who_answered(const Services& services, const Call& call, net::Response& response) {
  if (!call.served || !call.served->by) return;
  if (services.guards != nullptr && !services.guards->runtime.empty())
    response.headers.set("X-Holdfast-Runtime", services.guards->runtime);
  const serve::ReleaseAnswer& by = *call.served->by;
  response.headers.set("X-Model-Id", by.model.name);
  response.headers.set("X-Model-Revision", by.model.commit);
  if (!by.base.empty()) response.headers.set("X-Model-Base", by.base);
  response.headers.set("X-Deployment", by.deployment);
  if (call.served->work.cold())
    response.headers.set(
        "X-Holdfast-Cold-Start",
        std::to_string(std::chrono::ceil<std::chrono::milliseconds>(call.served->work.load).count()));
  if (const auto seed = call.served->work.seed)
    response.headers.set("X-Holdfast-Seed", std::to_string(*seed));
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
  const AnswerBegun begun = begin_answer(services, call);
  return end_answer(services, door, call, begun, handler(call));
}

AnswerBegun begin_answer(const Services& services, const Call& call) {
  AnswerBegun begun{.began = services.clock.now(), .began_at = services.clock.wall()};
  begun.desk = call.served ? call.served->desk : nullptr;
  if (begun.desk != nullptr) begun.ticked = begun.desk->ticks().now();
  if (call.served && begun.desk != nullptr && call.served->trace.trace.empty())
    call.served->trace = begun.desk->begin(call.request.headers.get("traceparent"), call.context.trace_id);
  if (call.served && !call.served->stream)
    begun.made = call.served->stream =
        std::make_shared<StreamTelling>(begun.desk == nullptr ? nullptr : &begun.desk->ticks());
  return begun;
}

Result<net::Response> end_answer(Services& services, const std::string& door, const Call& call,
                                 const AnswerBegun& begun, Result<net::Response> answer) {
  const auto& [desk, began, began_at, ticked, made] = begun;
  if (call.served && call.served->by && answer.ok()) say_who_answered(services, call, answer.value());
  if (!call.served || !call.served->by || call.request.method != "POST" || call.served->told) {
    if (made) made->when_ended({});  // It was told elsewhere, or there is nothing to tell.
    return answer;
  }
  call.served->told = true;
  settle_quota(services, call, answer);
  serve::ServedCall done = served_call(door, call, answer);
  const std::shared_ptr<StreamTelling> stream = call.served->stream;
  if (answer.ok() && std::holds_alternative<std::shared_ptr<net::PushedBody>>(answer.value().body)) {
    Ending ending{.services = services,
                  .desk = desk,
                  .done = std::move(done),
                  .note = *call.served,
                  .caller = call.caller,
                  .method = call.request.method,
                  .began = began,
                  .ticked = ticked,
                  .began_at = began_at};
    ending.note.stream.reset();
    // Its thread tells when it has ended.
    stream->when_ended(
        [ending = std::move(ending), with_receipt = wants_receipt(services, call)](StreamEnd end) mutable {
          return tell_stream(std::move(ending), std::move(end), with_receipt);
        });
    return answer;
  }
  stream->when_ended({});
  if (answer.ok()) add_receipt(services, call, done, answer.value());
  tell({services, desk, *call.served, call.caller, call.request.method, began, ticked, began_at},
       std::move(done), answer.ok() ? nullptr : &answer.error());
  return answer;
}

}  // namespace holdfast::api
