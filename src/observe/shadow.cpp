#include "observe/shadow.h"

#include <algorithm>

#include "govern/prediction.h"

namespace holdfast::observe {
namespace {

using govern::Governed;
using govern::Release;
using govern::ReleaseState;

constexpr size_t records_max = 48;

// The release that this one is compared with. Null where there is none.
const Release* before(const Governed& governed, int64_t number) {
  const Release* stable = governed.in(ReleaseState::deployed);
  if (stable != nullptr && stable->number != number) return stable;
  for (const Release& release : governed.releases)  // Newest first.
    if (release.state == ReleaseState::deprecated && release.number < number) return &release;
  return nullptr;
}

Counter& skipped(Metrics& metrics, const char* why) {
  return metrics.counter("holdfast_shadow_skipped_total", "Sampled answers that were not compared.",
                         {{"why", why}});
}

}  // namespace

Shadow::Shadow(const Parts& parts, double percent)
    : parts_(parts),
      share_(percent / 100),
      failed_(skipped(parts.metrics, "failed")),
      crowded_(skipped(parts.metrics, "queue_full")) {}

void Shadow::offer(const serve::ServedCall& call, const identity::Caller& caller) {
  if (share_ <= 0 || call.by.record.empty() || call.status != 200) return;
  if (call.input.size() + call.output.size() > call_bytes_max) return;
  constexpr uint64_t steps = 1 << 20;
  if (static_cast<double>(parts_.random.below(steps)) >= share_ * static_cast<double>(steps)) return;
  std::lock_guard lock(mutex_);
  if (!worth_asking(call.by)) return;
  if (waiting_.size() >= waiting_max) return crowded_.add();
  waiting_.push_back({call, caller});
}

void Shadow::count(const std::string& record, int64_t release, int64_t earlier, int64_t compared,
                   int64_t disagreed) {
  const Series series = parts_.names.of_release(record, release);
  const MetricLabels labels{{"endpoint", series.endpoint}, {"version", series.version}};
  parts_.metrics
      .counter("holdfast_shadow_compared_total", "Answers that the version before was asked for as well.",
               labels)
      .add(static_cast<double>(compared));
  parts_.metrics.counter("holdfast_shadow_disagreed_total", "Those on which the two disagree.", labels)
      .add(static_cast<double>(disagreed));
  std::lock_guard lock(mutex_);
  if (figures_.size() >= records_max && !figures_.contains(record)) return;
  Figures& figures = figures_[record];
  if (figures.release != release || figures.earlier != earlier)
    figures = {.release = release, .earlier = earlier};
  figures.compared += compared;
  figures.disagreed += disagreed;
  parts_.metrics
      .gauge("holdfast_shadow_disagreement_ratio", "Share on which a version and the one before disagree.",
             labels)
      .set(static_cast<double>(figures.disagreed) / static_cast<double>(figures.compared));
}

Status Shadow::compare(ShadowAsker& asker, const Release& earlier, const Waiting& one) {
  const serve::ReleaseAnswer& by = one.call.by;
  serve::ReleaseAnswer asked = by;
  asked.model = {earlier.repository, earlier.model, earlier.revision};
  asked.release = earlier.number;
  TRY(const std::string output, asker.ask(one.call, one.caller, asked));
  const auto now = govern::predictions_of(one.call.output), then = govern::predictions_of(output);
  const size_t compared = std::min(now.size(), then.size());
  if (compared == 0) return Done{};
  int64_t disagreed = 0;
  for (size_t i = 0; i < compared; ++i) disagreed += now[i].label != then[i].label ? 1 : 0;
  count(by.record, by.release, earlier.number, static_cast<int64_t>(compared), disagreed);
  return Done{};
}

bool Shadow::worth_asking(const serve::ReleaseAnswer& by) const {
  const Governed* governed = last_ == nullptr ? nullptr : last_->named(by.record);
  return governed == nullptr || before(*governed, by.release) != nullptr;
}

// What has no version before it is let go of and costs nothing.
Status Shadow::tick(ShadowAsker& asker) {
  TRY(const auto live, parts_.live.look());
  for (size_t asked = 0; asked < runs_max;) {
    Waiting one;
    {
      std::lock_guard lock(mutex_);
      last_ = live;
      if (waiting_.empty()) return Done{};
      one = std::move(waiting_.front());
      waiting_.pop_front();
    }
    const Governed* governed = live->named(one.call.by.record);
    const Release* earlier = governed == nullptr ? nullptr : before(*governed, one.call.by.release);
    if (earlier == nullptr) continue;
    ++asked;
    if (!compare(asker, *earlier, one).ok()) failed_.add();  // Busy, gone: the sample is smaller, no more.
  }
  return Done{};
}

Shadow::Figures Shadow::figures(const std::string& record) const {
  std::lock_guard lock(mutex_);
  const auto known = figures_.find(record);
  return known == figures_.end() ? Figures{} : known->second;
}

}  // namespace holdfast::observe
