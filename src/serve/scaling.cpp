#include "serve/scaling.h"

#include <algorithm>

namespace holdfast::serve {

void MeanLoad::add(std::chrono::milliseconds now, double busy) {
  const auto begin = last_.value_or(now);
  const auto length = now - begin;
  last_ = now;
  if (spans_.empty() || now - spans_.back().begin > window_ / spans) spans_.push_back({begin, {}, 0});
  spans_.back().length += length;
  spans_.back().busy += busy * static_cast<double>(length.count());
  // One that reaches beyond the window is kept, so that the window is always full.
  while (spans_.size() > 1 && spans_[1].begin <= now - window_) spans_.pop_front();
}

std::optional<double> MeanLoad::mean(std::chrono::milliseconds now) const {
  if (spans_.empty() || now - spans_.front().begin < window_) return std::nullopt;
  double busy = 0;
  std::chrono::milliseconds length{};
  for (const Span& span : spans_) {
    busy += span.busy;
    length += span.length;
  }
  if (length.count() == 0) return std::nullopt;
  return busy / static_cast<double>(length.count());
}

bool Scaler::lasts(std::optional<std::chrono::milliseconds>& since, bool so, std::chrono::milliseconds now,
                   std::chrono::milliseconds length) {
  if (!so) {
    since.reset();
    return false;
  }
  if (!since) since = now;
  if (now - *since < length) return false;
  since.reset();  // The next step has to wait as long.
  return true;
}

size_t Scaler::wanted(std::chrono::milliseconds now, const ReplicaLoad& load, const Replicas& bounds,
                      size_t wanted) {
  const size_t least = std::max<size_t>(bounds.least, 1), most = std::max(bounds.most, least);
  const size_t kept = std::clamp(wanted, least, most);
  // What waits for a worker that starts says nothing of how many are needed.
  if (kept != wanted || load.starting > 0 || load.ready < kept) {
    busy_since_.reset();
    load_.forget();
    return kept;
  }
  const auto of = [](double share, size_t workers) { return share * static_cast<double>(workers); };
  const bool busy =
      load.queue_delay > options_.up_queue_delay || load.busy > of(options_.up_utilization, kept);
  // A look of a quarter of a second says little: a load well below the mark is above it now and then.
  load_.add(now, load.busy);
  if (load.queue_delay > options_.up_queue_delay) load_.forget();
  const bool more = lasts(busy_since_, busy, now, options_.up_after);
  const auto mean = load_.mean(now);
  const bool fewer = !busy && mean && *mean <= of(options_.down_utilization, kept - 1);
  if (!(more && kept < most) && !(fewer && kept > least)) return kept;
  load_.forget();  // The next step has to wait as long.
  return more ? kept + 1 : kept - 1;
}

}  // namespace holdfast::serve
