#include "observe/request_spans.h"

#include <algorithm>

#include "base/bytes.h"
#include "codec/hex.h"

namespace holdfast::observe {
namespace {

using std::chrono::nanoseconds;

std::string operation_of(const TraceRecord& record) {
  if (record.door.find("chat") != std::string_view::npos) return "chat";
  if (record.door.find("completions") != std::string_view::npos) return "text_completion";
  return record.numbers.expected == Expected::labels ? "text_classification" : "embeddings";
}

Span server_span(const TraceRecord& record) {
  const TraceRecord::Numbers& numbers = record.numbers;
  const serve::Work& work = numbers.work;
  const std::string method(record.method), route(record.route), model(record.model);
  Span span{.name = method + " " + route,
            .trace = std::string(record.trace),
            .id = std::string(record.span),
            .parent = std::string(record.parent),
            .kind = SpanKind::server};
  constexpr size_t attributes_max = 18;
  span.attributes.reserve(attributes_max);
  // One by one: a list of them would be copied.
  const auto add = [&](std::string_view key, SpanValue value) {
    span.attributes.emplace_back(key, std::move(value));
  };
  add("http.request.method", method);
  add("http.route", route);
  add("http.response.status_code", int64_t{numbers.status});
  add("http.request.body.size", static_cast<int64_t>(numbers.input_bytes));
  add("http.response.body.size", static_cast<int64_t>(numbers.output_bytes));
  add("gen_ai.operation.name", operation_of(record));
  add("gen_ai.provider.name", std::string("holdfast"));
  add("gen_ai.request.model", model);
  add("gen_ai.response.model", model + "@" + std::string(record.commit));
  add("gen_ai.response.id", std::string(record.request));
  add("gen_ai.usage.input_tokens", static_cast<int64_t>(work.tokens - work.written_tokens));
  add("holdfast.deployment", std::string(record.deployment));
  add("holdfast.tokenizer.digest", std::string(record.tokenizer));
  add("holdfast.inputs", static_cast<int64_t>(work.inputs));
  add("holdfast.cold", work.cold());
  if (work.written_tokens > 0) {
    add("gen_ai.usage.output_tokens", static_cast<int64_t>(work.written_tokens));
    add("gen_ai.server.time_to_first_token", std::chrono::duration<double>(work.first_token).count());
  }
  if (numbers.outcome == Outcome::failed || numbers.outcome == Outcome::refused)
    span.status = SpanStatus::error;  // What the caller did wrong is no error of a server's span.
  if (!record.reason.empty()) add("error.type", std::string(record.reason));
  return span;
}

}  // namespace

std::vector<Span> request_spans(const Answered& answered, const Judgement& judgement, Random& random) {
  return request_spans(record_of(answered, judgement, random));
}

std::vector<Span> request_spans(const TraceRecord& record) {
  const TraceRecord::Numbers& numbers = record.numbers;
  std::vector<Span> spans;
  spans.reserve(1 + TraceRecord::stages_max);
  spans.push_back(server_span(record));
  spans[0].began_ns = numbers.began_ns;
  spans[0].ended_ns = numbers.began_ns + numbers.took_ns;
  int64_t at = numbers.began_ns;
  const auto stage = [&](const char* name, nanoseconds time) -> Span& {
    const int64_t until = std::min(at + std::max<int64_t>(time.count(), 0), spans[0].ended_ns);
    const ByteView id = ByteView(numbers.ids).subspan((spans.size() - 1) * TraceRecord::id_bytes);
    spans.push_back({.name = name,
                     .trace = spans[0].trace,
                     .id = codec::to_hex(id.first(TraceRecord::id_bytes)),
                     .parent = spans[0].id,
                     .began_ns = at,
                     .ended_ns = until});
    at = until;
    return spans.back();
  };
  const serve::Work& work = numbers.work;
  // What was looked at before and after the model, in one: where the one ended is not kept.
  if (work.guard.count() > 0) stage("guard", work.guard);
  if (!record.upstream.empty()) {
    Span& upstream = stage("upstream", work.model);
    upstream.id = record.upstream;
    upstream.kind = SpanKind::client;
  } else if (work.asked()) {
    stage("queue", work.queue);
    if (work.cold()) stage("load", work.load);
    stage("tokenize", work.tokenize);
    stage("model", work.model).attributes = {{"gen_ai.request.model", std::string(record.model)}};
  }
  stage("post", nanoseconds(numbers.post_ns));
  return spans;
}

}  // namespace holdfast::observe
