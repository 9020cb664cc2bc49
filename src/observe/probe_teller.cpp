#include "observe/probe_teller.h"

#include <array>
#include <utility>

namespace holdfast::observe {

void ProbeTeller::tell(const Who& who, const Series& series, const ProbeOutcome& outcome) {
  if (outcome.right + outcome.wrong + outcome.failed == 0) return;
  const MetricLabels labels{{"endpoint", series.endpoint}, {"version", series.version}};
  const std::pair<const char*, int64_t> counted[] = {
      {"right", outcome.right}, {"wrong", outcome.wrong}, {"failed", outcome.failed}};
  for (const auto& [name, times] : counted) {
    MetricLabels more = labels;
    more.emplace_back("outcome", name);
    metrics_
        .counter("holdfast_probe_answers_total", "Golden examples put to a version by the server itself.",
                 more)
        .add(static_cast<double>(times));
  }
  metrics_.gauge("holdfast_probe_sound", "Whether all answers of the last round were right.", labels)
      .set(outcome.sound() ? 1 : 0);
  if (outcome.right + outcome.wrong > 0)
    metrics_.gauge("holdfast_probe_answer_seconds", "The last answer of the last round.", labels)
        .set(outcome.seconds);
  const auto known = sound_.try_emplace(who.name + " " + who.version, true).first;
  if (known->second != outcome.sound()) {
    const std::array fields{LogField(who.kind, who.name), LogField("version", who.version),
                            LogField("right", outcome.right), LogField("wrong", outcome.wrong),
                            LogField("failed", outcome.failed)};
    if (outcome.sound())
      log_.event(LogLevel::info, "probe_recovered", fields);
    else
      log_.event(LogLevel::warn, "probe_found_unsound", fields);
  }
  known->second = outcome.sound();
}

}  // namespace holdfast::observe
