#include "observe/request_log.h"

#include <array>

namespace holdfast::observe {
namespace {

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

void log_request(Log& log, const SeriesNames& names, const Series& series, const Answered& answered,
                 const Judgement& judgement) {
  if (!log.wants(LogLevel::info)) return;
  const serve::ServedCall& call = answered.call;
  const serve::Work& work = answered.work;
  const bool governed = !call.by.record.empty();
  const std::string input_digest = names.digest_of(call.input), output_digest = names.digest_of(call.output);
  const std::string seed = work.seed ? std::to_string(*work.seed) : std::string();
  const std::array fields{
      LogField("trace_id", answered.trace.trace),
      LogField("span_id", answered.trace.span),
      LogField("request", call.id),
      LogField("route", call.door),
      LogField("status", call.status),
      LogField("outcome", outcome_name(judgement.outcome)),
      LogField("class", judgement.error_class ? error_class_name(*judgement.error_class) : ""),
      LogField("reason", judgement.reason),
      LogField("model", call.by.model.name),
      LogField("revision", call.by.model.commit),
      LogField("tokenizer", call.by.tokenizer),
      LogField("deployment", call.by.deployment),
      LogField("endpoint", series.endpoint),
      LogField("version", series.version),
      LogField("feature", governed ? std::string_view(call.by.feature) : std::string_view()),
      LogField("user", call.user),
      LogField("input_bytes", call.input.size()),
      LogField("input_digest", input_digest),
      LogField("output_bytes", call.output.size()),
      LogField("output_digest", output_digest),
      LogField("inputs", work.inputs),
      LogField("tokens", work.tokens),
      LogField("written_tokens", work.written_tokens),
      LogField("seed", seed),
      LogField("first_token_ms", milliseconds(work.first_token)),
      LogField("between_tokens_ms", milliseconds(work.between_tokens)),
      LogField("cold", work.cold()),
      LogField("duration_ms", milliseconds(answered.took)),
      LogField("queue_ms", milliseconds(work.queue)),
      LogField("load_ms", milliseconds(work.load)),
      LogField("tokenize_ms", milliseconds(work.tokenize)),
      LogField("model_ms", milliseconds(work.model)),
      LogField("post_ms", milliseconds(judgement.post)),
      LogField("guard_ms", milliseconds(work.guard)),
  };
  log.event(LogLevel::info, "model_request", fields);
}

}  // namespace holdfast::observe
