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
            .kind = SpanKind::server};
  constexpr size_t attributes_max = 18;
  span.attributes.reserve(attributes_max);
  // One by one: a list of them would be copied.
  const auto add = [&](std::string_view key, SpanValue value) {
    span.attributes.emplace_back(key, std::move(value));
  };
  add("http.request.method", method);
  add("http.route", route);
  add("http.response.status_code", int64_t{call.status});
  add("http.request.body.size", static_cast<int64_t>(call.input.size()));
  add("http.response.body.size", static_cast<int64_t>(call.output.size()));
  add("gen_ai.operation.name", operation_of(answered, judgement));
  add("gen_ai.provider.name", std::string("holdfast"));
  add("gen_ai.request.model", by.model.name);
  add("gen_ai.response.model", by.model.name + "@" + by.model.commit);
  add("gen_ai.response.id", call.id);
  add("gen_ai.usage.input_tokens", static_cast<int64_t>(answered.work.tokens - answered.work.written_tokens));
  add("holdfast.deployment", by.deployment);
  add("holdfast.tokenizer.digest", by.tokenizer);
  add("holdfast.inputs", static_cast<int64_t>(answered.work.inputs));
  add("holdfast.cold", answered.work.cold());
  if (const serve::Work& work = answered.work; work.written_tokens > 0) {
    add("gen_ai.usage.output_tokens", static_cast<int64_t>(work.written_tokens));
    add("gen_ai.server.time_to_first_token", std::chrono::duration<double>(work.first_token).count());
  }
  if (judgement.outcome == Outcome::failed || judgement.outcome == Outcome::refused)
    span.status = SpanStatus::error;  // What the caller did wrong is no error of a server's span.
  if (!judgement.reason.empty()) add("error.type", std::string(judgement.reason));
  return span;
}

}  // namespace

std::vector<Span> request_spans(const Answered& answered, const Judgement& judgement, Random& random) {
  std::vector<Span> spans;
  constexpr size_t stages_max = 5, id_digits = 16;
  spans.reserve(1 + stages_max);
  spans.push_back(server_span(answered, judgement));
  const int64_t began = nanoseconds(answered.began.time_since_epoch()).count();
  spans[0].began_ns = began;
  spans[0].ended_ns = began + answered.took.count();
  int64_t at = began;
  const std::string ids = random.hex(stages_max * id_digits / 2);  // Asked for at once.
  const auto stage = [&](const char* name, nanoseconds time) -> Span& {
    const int64_t until = std::min(at + std::max<int64_t>(time.count(), 0), spans[0].ended_ns);
    spans.push_back({.name = name,
                     .trace = answered.trace.trace,
                     .id = ids.substr((spans.size() - 1) * id_digits, id_digits),
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
