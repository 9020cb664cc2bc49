#include "observe/desk.h"

#include "observe/request_log.h"
#include "observe/request_spans.h"

namespace holdfast::observe {
TraceContext Desk::begin(std::string_view traceparent_header, std::string_view request_id) {
  return continue_trace(traceparent_header, request_id, parts_.random);
}

void Desk::expect(const std::string& record, Expected expected) {
  std::lock_guard lock(mutex_);
  if (expected == Expected::labels && classifiers_.size() < Objectives::records_max)
    classifiers_.insert(record);
  else
    classifiers_.erase(record);
}

Expected Desk::expected_of(const std::string& record) const {
  std::lock_guard lock(mutex_);
  return classifiers_.contains(record) ? Expected::labels : Expected::anything;
}

void Desk::served(const Answered& answered) {
  const std::string& record = answered.call.by.record;
  const Series series = parts_.names.of(answered.call.by);
  const Judgement judgement = judge(answered, expected_of(record));
  probe_.ended(series, answered, judgement);
  if (!record.empty()) {
    objectives_.count(record, judgement.outcome, answered.took);
    errors_.count(record, parts_.clock.wall(), cluster_of(answered.call.input),
                  judgement.error_class ? &*judgement.error_class : nullptr);
    if (parts_.meanings != nullptr)
      parts_.meanings->offer(record, parts_.clock.wall(), answered.call.input,
                             judgement.error_class ? &*judgement.error_class : nullptr);
  }
  log_request(parts_.log, parts_.names, series, answered, judgement);
  const bool kept = !answered.call.input.empty();  // Empty where nothing of it may stay.
  if (kept) drift_.offer(answered.call);
  if (kept && parts_.shadow != nullptr && answered.caller != nullptr &&
      judgement.expected == Expected::labels)
    parts_.shadow->offer(answered.call, *answered.caller);
  const TraceContext& trace = answered.trace;
  const TraceRecord told = record_of(answered, judgement, parts_.random);
  if (parts_.traces != nullptr && parts_.traces->wants(trace.trace, !trace.parent.empty(), trace.sampled))
    parts_.traces->offer(request_spans(told));
  recent_.keep(told);
}

void Desk::turned_away(const Error& error) {
  probe_.turned_away(reason_row(error.code, error.reason).error_class);
}

}  // namespace holdfast::observe
