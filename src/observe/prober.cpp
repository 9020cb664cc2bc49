#include "observe/prober.h"

#include <algorithm>
#include <vector>

#include "govern/registry.h"
#include "govern/release_asker.h"
#include "identity/own_caller.h"

namespace holdfast::observe {
namespace {

constexpr std::string_view actor = "(probe)";

bool is_probed(govern::ReleaseState state) {
  return govern::is_live(state) || state == govern::ReleaseState::approved;
}

}  // namespace

Status Prober::tick(const std::stop_token& stop) {
  TRY(const auto live, parts_.registry.live.look());
  for (const govern::Governed& governed : live->records) {
    const std::string& record = governed.stored.record.id;
    if (std::none_of(governed.releases.begin(), governed.releases.end(),
                     [](const govern::Release& one) { return is_probed(one.state); }))
      continue;
    TRY(std::vector<govern::GoldenExample> examples,
        parts_.registry.review.golden(identity::own_caller(actor), record));
    if (examples.empty()) continue;
    size_t& next = next_[record];
    const size_t count = std::min(examples.size(), examples_a_round);
    std::rotate(examples.begin(), examples.begin() + static_cast<ptrdiff_t>(next % examples.size()),
                examples.end());
    next = (next + count) % examples.size();
    for (const govern::Release& release : governed.releases) {
      if (stop.stop_requested()) return Done{};
      if (is_probed(release.state)) tell(release, ask(release, std::span(examples).first(count), stop));
    }
  }
  return Done{};
}

Prober::Outcome Prober::ask(const govern::Release& release, std::span<const govern::GoldenExample> examples,
                            const std::stop_token& stop) {
  Outcome outcome;
  auto asker = parts_.askers.open(release, identity::own_caller(actor));
  if (!asker.ok()) {
    parts_.log.failure("probe_failed", asker.error(),
                       {{"record", release.record}, {"release", release.number}});
    outcome.failed = 1;
    return outcome;
  }
  for (const govern::GoldenExample& example : examples) {
    if (stop.stop_requested()) break;
    Context context;
    context.stop = stop;
    const auto answer = asker.value()->ask(context, example.input);
    if (!answer.ok()) {
      ++outcome.failed;
      continue;
    }
    outcome.seconds = answer.value().answer.milliseconds / 1000;
    ++(answer.value().answer.predicted == example.label ? outcome.right : outcome.wrong);
  }
  return outcome;
}

void Prober::tell(const govern::Release& release, const Outcome& outcome) {
  if (outcome.right + outcome.wrong + outcome.failed == 0) return;
  const Series series = parts_.names.of_release(release.record, release.number);
  const MetricLabels labels{{"endpoint", series.endpoint}, {"version", series.version}};
  const std::pair<const char*, int64_t> counted[] = {
      {"right", outcome.right}, {"wrong", outcome.wrong}, {"failed", outcome.failed}};
  for (const auto& [name, times] : counted) {
    MetricLabels more = labels;
    more.emplace_back("outcome", name);
    parts_.metrics
        .counter("holdfast_probe_answers_total", "Golden examples put to a version by the server itself.",
                 more)
        .add(static_cast<double>(times));
  }
  const bool sound = outcome.wrong == 0 && outcome.failed == 0;
  parts_.metrics.gauge("holdfast_probe_sound", "Whether all answers of the last round were right.", labels)
      .set(sound ? 1 : 0);
  if (outcome.right + outcome.wrong > 0)
    parts_.metrics.gauge("holdfast_probe_answer_seconds", "The last answer of the last round.", labels)
        .set(outcome.seconds);
  const auto known = sound_.try_emplace({release.record, release.number}, true).first;
  if (known->second != sound) {
    const std::initializer_list<LogField> fields{{"record", release.record},
                                                 {"release", release.number},
                                                 {"right", outcome.right},
                                                 {"wrong", outcome.wrong},
                                                 {"failed", outcome.failed}};
    if (sound)
      parts_.log.info("probe_recovered", fields);
    else
      parts_.log.warn("probe_found_unsound", fields);
  }
  known->second = sound;
}

}  // namespace holdfast::observe
