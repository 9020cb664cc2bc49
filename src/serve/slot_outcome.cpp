#include "serve/slot_queue.h"

// What came of what was taken: speeds and forecasts learn from it, and what failed is asked again.
namespace holdfast::serve {
namespace {

// What became of a forecast.
template <class Waiting>
void answered(Turnstile& door, const Waiting& one, std::chrono::milliseconds now) {
  if (one.foreseen.count() >= 0) door.foresight().came(now, one.foreseen, now - one.pushed);
}

}  // namespace

void SlotQueue::worked(Seat& seat, std::span<const Slice> batch, std::chrono::nanoseconds took, bool good) {
  std::lock_guard lock(mutex_);
  seat.working = false;
  seat.busy += took;
  if (!good) return;
  double cost = 0;
  for (const Slice& slice : batch) {
    cost += slice.cost;
    answered(reading_door_, slice, clock_.now());
  }
  const auto whole = took + seat.between;
  if (const auto expected = reading_.expected(1, cost); expected && expected->count() > 0) {
    last_batch_ = static_cast<double>(whole.count()) / static_cast<double>(expected->count());
    batch_doubt_.came(clock_.now(), *expected, whole);
  }
  reading_.measured(cost, whole);
  if (!waiting_.empty()) seat.ended = ticks_.now();
}

void SlotQueue::wrote(Seat& seat, size_t answers, const Generation* whole) {
  constexpr double keep = 0.9;
  std::lock_guard lock(mutex_);
  const auto at_once = static_cast<double>(seat.writing);
  seat.writing -= answers;
  generations_ -= answers;
  if (whole == nullptr || !(at_once >= 1)) return;
  answered(writing_door_, *whole, clock_.now());
  writing_speed_.measured(whole->cost, (ticks_.now() - whole->begun) / static_cast<int64_t>(at_once));
  written_at_once_ = written_at_once_ > 0 ? keep * written_at_once_ + (1 - keep) * at_once : at_once;
}

void SlotQueue::again(std::vector<Slice> slices, const Error& error) {
  const auto now = clock_.now();
  for (Slice& slice : slices) {
    const bool once_more =
        ++slice.attempts < options_.attempts_max && !slice.ticket->abandoned() && slice.deadline > now;
    if (!once_more) {
      slice.ticket->fill(slice.first, error);
      continue;
    }
    probe_.asked_again();
    std::lock_guard lock(mutex_);
    again_.push_back(std::move(slice));
  }
  std::lock_guard lock(mutex_);
  ready_.notify_all();
}

void SlotQueue::again(Seat& seat, Generation generation) {
  probe_.asked_again();
  std::lock_guard lock(mutex_);
  --seat.writing;
  const double cost = generation.cost;
  // Of a key of its own, so that it does not wait behind what came after it.
  beginning_.push("", Priority::high, cost, std::move(generation));
  ready_.notify_all();
}

void SlotQueue::fail_all(const Error& error) {
  std::vector<Slice> slices;
  std::vector<Generation> generations;
  {
    std::lock_guard lock(mutex_);
    slices = waiting_.take_if([](const Slice&) { return true; });
    for (Slice& slice : again_) slices.push_back(std::move(slice));
    again_.clear();
    generations = beginning_.take_if([](const Generation&) { return true; });
    generations_ -= generations.size();
    refusal_ = error;
    refused_until_ = clock_.now() + options_.refusal_lasts;
  }
  for (Slice& slice : slices) slice.ticket->fill(slice.first, error);
  for (Generation& one : generations) (void)one.on_event({.error = error});
}

}  // namespace holdfast::serve
