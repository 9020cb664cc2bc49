#include "serve/slot_queue.h"

#include <algorithm>

// How the queue stands: what waits, who is busy, how long a model took to load.
namespace holdfast::serve {

bool SlotQueue::idle() const {
  std::lock_guard lock(mutex_);
  return !anything() && generations_ == 0 &&
         std::none_of(seats_.begin(), seats_.end(), [](const Seat* seat) { return seat->working; });
}

size_t SlotQueue::ready() const {
  std::lock_guard lock(mutex_);
  return ready_seats();
}

size_t SlotQueue::waiting() const {
  std::lock_guard lock(mutex_);
  return again_.size() + waiting_.size() + beginning_.size();
}

std::optional<WorkerFacts> SlotQueue::facts() const {
  std::lock_guard lock(mutex_);
  return facts_;
}

std::chrono::nanoseconds SlotQueue::loading_between(std::chrono::nanoseconds begin,
                                                    std::chrono::nanoseconds end) const {
  std::lock_guard lock(mutex_);
  if (load_began_.count() < 0) return {};
  const auto until = load_ended_.count() < 0 ? end : std::min(end, load_ended_);
  return std::max(until - std::max(begin, load_began_), std::chrono::nanoseconds{});
}

ReplicaLoad SlotQueue::load() {
  std::lock_guard lock(mutex_);
  const auto now = clock_.now();
  const auto ticked = ticks_.now();
  auto oldest = now;
  waiting_.for_each([&](const Slice& slice) { oldest = std::min(oldest, slice.pushed); });
  beginning_.for_each([&](const Generation& one) { oldest = std::min(oldest, one.pushed); });
  ReplicaLoad out{.queue_delay = now - oldest};
  std::chrono::nanoseconds busy{};
  double writing = 0;
  for (const Seat* seat : seats_) {
    out.ready += seat->ready ? 1 : 0;
    out.starting += seat->starting ? 1 : 0;
    busy += seat->busy;
    if (seat->ready && seat->working) busy += ticked - seat->working_since;
    writing += std::min(1.0, static_cast<double>(seat->writing) /
                                 static_cast<double>(std::max<size_t>(options_.scaling.answers_a_worker, 1)));
  }
  const auto passed = ticked - looked_at_;
  if (looked_at_.count() >= 0 && passed.count() > 0)
    out.busy =
        std::max(0.0, static_cast<double>((busy - busy_seen_).count()) / static_cast<double>(passed.count()));
  out.busy += writing;
  looked_at_ = ticked;
  busy_seen_ = busy;
  return out;
}

}  // namespace holdfast::serve
