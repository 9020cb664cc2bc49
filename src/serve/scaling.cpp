#include "serve/scaling.h"

#include <algorithm>

namespace holdfast::serve {

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
    calm_since_.reset();
    return kept;
  }
  const auto of = [](double share, size_t workers) { return share * static_cast<double>(workers); };
  const bool busy =
      load.queue_delay > options_.up_queue_delay || load.busy > of(options_.up_utilization, kept);
  const bool calm = !busy && load.busy <= of(options_.down_utilization, kept - 1) &&
                    load.queue_delay <= options_.up_queue_delay;
  const bool more = lasts(busy_since_, busy, now, options_.up_after);
  const bool fewer = lasts(calm_since_, calm, now, options_.down_after);
  if (more && kept < most) return kept + 1;
  if (fewer && kept > least) return kept - 1;
  return kept;
}

}  // namespace holdfast::serve
