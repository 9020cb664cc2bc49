#include "observe/request_spans.h"

#include <algorithm>

namespace holdfast::observe {
namespace {

using std::chrono::nanoseconds;

std::string operation_of(const Answered& answered, const Judgement& judgement) {
  const std::string& door = answered.call.door;
  if (door.find("chat") != std::string::npos) return "chat";
  if (door.find("completions") != std::string::npos) return "text_completion";
  return judgement.expected == Expected::labels ? "text_classification" : "embeddings";
}

Span server_span(const Answered& answered, const Judgement& judgement) {
  const serve::ServedCall& call = answered.call;
  const serve::ReleaseAnswer& by = call.by;
  const std::string method(answered.method), route(answered.route);
  Span span{.name = method + " " + route,
            .trace = answered.trace.trace,
            .id = answered.trace.span,
            .parent = answered.trace.parent,
            .kind = SpanKind::server,
            .attributes = {{"http.request.method", method},
                           {"http.route", route},
                           {"http.response.status_code", int64_t{call.status}},
                           {"http.request.body.size", static_cast<int64_t>(call.input.size())},
                           {"http.response.body.size", static_cast<int64_t>(call.output.size())},
                           {"gen_ai.operation.name", operation_of(answered, judgement)},
                           {"gen_ai.provider.name", std::string("holdfast")},
                           {"gen_ai.request.model", by.model.name},
                           {"gen_ai.response.model", by.model.name + "@" + by.model.commit},
                           {"gen_ai.response.id", call.id},
                           {"gen_ai.usage.input_tokens",
                            static_cast<int64_t>(answered.work.tokens - answered.work.written_tokens)},
                           {"holdfast.deployment", by.deployment},
                           {"holdfast.tokenizer.digest", by.tokenizer},
                           {"holdfast.inputs", static_cast<int64_t>(answered.work.inputs)},
                           {"holdfast.cold", answered.work.cold()}}};
  if (const serve::Work& work = answered.work; work.written_tokens > 0) {
    span.attributes.emplace_back("gen_ai.usage.output_tokens", static_cast<int64_t>(work.written_tokens));
    span.attributes.emplace_back("gen_ai.server.time_to_first_token",
                                 std::chrono::duration<double>(work.first_token).count());
  }
  if (judgement.outcome == Outcome::failed || judgement.outcome == Outcome::refused)
    span.status = SpanStatus::error;  // What the caller did wrong is no error of a server's span.
  if (!judgement.reason.empty()) span.attributes.emplace_back("error.type", std::string(judgement.reason));
  return span;
}

}  // namespace

std::vector<Span> request_spans(const Answered& answered, const Judgement& judgement, Random& random) {
  std::vector<Span> spans{server_span(answered, judgement)};
  const int64_t began = nanoseconds(answered.began.time_since_epoch()).count();
  spans[0].began_ns = began;
  spans[0].ended_ns = began + answered.took.count();
  int64_t at = began;
  const auto stage = [&](const char* name, nanoseconds time) -> Span& {
    const int64_t until = std::min(at + std::max<int64_t>(time.count(), 0), spans[0].ended_ns);
    spans.push_back({.name = name,
                     .trace = answered.trace.trace,
                     .id = random.hex(8),
                     .parent = answered.trace.span,
                     .began_ns = at,
                     .ended_ns = until});
    at = until;
    return spans.back();
  };
  const serve::Work& work = answered.work;
  if (!answered.upstream_span.empty()) {
    Span& upstream = stage("upstream", work.model);
    upstream.id = answered.upstream_span;
    upstream.kind = SpanKind::client;
  } else if (work.asked()) {
    stage("queue", work.queue);
    if (work.cold()) stage("load", work.load);
    stage("tokenize", work.tokenize);
    stage("model", work.model).attributes = {{"gen_ai.request.model", answered.call.by.model.name}};
  }
  stage("post", judgement.post);
  return spans;
}

}  // namespace holdfast::observe
