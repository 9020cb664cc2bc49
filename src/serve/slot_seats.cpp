#include "serve/slot_queue.h"

#include <algorithm>
#include <functional>
#include <string_view>

// Who sits at the queue: which worker may start, whose turn it is, and where an answer is written.
namespace holdfast::serve {
namespace {

// A prompt's beginning that decides where it is written: conversations share that much of their first turn.
constexpr size_t beginning_bytes = 256, homes_max = 512;
// By how many answers a worker with the same beginning may be ahead of the one that writes fewest.
constexpr size_t home_ahead_max = 4;

std::optional<uint64_t> beginning_of(const Generation& generation) {
  if (generation.request.size() < beginning_bytes) return std::nullopt;
  return std::hash<std::string_view>{}(std::string_view(generation.request).substr(0, beginning_bytes));
}

}  // namespace

size_t SlotQueue::ready_seats() const {
  return static_cast<size_t>(
      std::count_if(seats_.begin(), seats_.end(), [](const Seat* seat) { return seat->ready; }));
}

void SlotQueue::add(Seat& seat) {
  std::lock_guard lock(mutex_);
  seats_.push_back(&seat);
}

void SlotQueue::remove(Seat& seat) {
  std::lock_guard lock(mutex_);
  std::erase(seats_, &seat);
  std::erase_if(homes_, [&](const auto& entry) { return entry.second == &seat; });
}

void SlotQueue::warm(Seat& seat, bool on) {
  std::lock_guard lock(mutex_);
  seat.warm = on;
  ready_.notify_all();
}

void SlotQueue::leave(Seat& seat) {
  std::lock_guard lock(mutex_);
  seat.leaving = true;
  ready_.notify_all();
}

// One at a time, since the first lays the weights out that the others then map; and one that nobody keeps
// only where no other can answer.
bool SlotQueue::may_start(const Seat& seat) const {
  if (seat.ready || seat.leaving || clock_.now() < seat.not_before) return false;
  bool others_ready = false;
  for (const Seat* other : seats_) {
    if (other->starting) return false;
    others_ready = others_ready || (other != &seat && other->ready && !other->leaving);
  }
  if (seat.warm) return !is_refused();
  return anything() && !others_ready;
}

const SlotQueue::Seat* SlotQueue::seat_for(const Generation& generation) const {
  const Seat* least = nullptr;
  for (const Seat* seat : seats_)
    if (seat->ready && !seat->leaving && seat->writing < options_.writing_max &&
        (least == nullptr || seat->writing < least->writing))
      least = seat;
  const auto beginning = beginning_of(generation);
  if (least == nullptr || !beginning) return least;
  const auto home = homes_.find(*beginning);
  if (home == homes_.end()) return least;
  const Seat* known = home->second;
  const bool fits = known->ready && !known->leaving && known->writing < options_.writing_max &&
                    known->writing <= least->writing + home_ahead_max;
  return fits ? known : least;
}

bool SlotQueue::has_turn(const Seat& seat) const {
  if (seat.leaving) return true;
  if (!seat.ready) return may_start(seat);
  if (!again_.empty() || !waiting_.empty()) return true;
  return !beginning_.empty() && seat_for(beginning_.front()) == &seat;
}

void SlotQueue::remember_home(const Generation& generation, const Seat& seat) {
  const auto beginning = beginning_of(generation);
  if (!beginning) return;
  if (homes_.size() >= homes_max) homes_.clear();
  homes_[*beginning] = &seat;
}

std::vector<Generation> SlotQueue::take_generations(Seat& seat) {
  std::vector<Generation> out;
  while (!beginning_.empty() && seat.writing < options_.writing_max &&
         seat_for(beginning_.front()) == &seat) {
    out.push_back(beginning_.pop());
    out.back().begun = ticks_.now();
    remember_home(out.back(), seat);
    ++seat.writing;
  }
  if (!beginning_.empty()) ready_.notify_all();
  return out;
}

void SlotQueue::started(Seat& seat, const WorkerFacts& facts) {
  std::lock_guard lock(mutex_);
  if (ready_seats() == 0) probe_.cold_start();
  seat.starting = false;
  seat.ready = true;
  if (load_began_.count() >= 0 && load_ended_.count() < 0) load_ended_ = ticks_.now();
  facts_ = facts;
  refusal_.reset();
  ready_.notify_all();
}

void SlotQueue::not_started(Seat& seat, const Error& error) {
  bool alone = false;
  {
    std::lock_guard lock(mutex_);
    seat.starting = false;
    seat.not_before = clock_.now() + options_.refusal_lasts;
    alone = ready_seats() == 0;
    if (alone) {
      seat.not_before = {};
      if (load_ended_.count() < 0) load_ended_ = ticks_.now();
    }
  }
  if (alone) fail_all(error);
}

void SlotQueue::lost(Seat& seat, std::chrono::milliseconds pause) {
  std::lock_guard lock(mutex_);
  seat.ready = seat.starting = false;
  seat.not_before = clock_.now() + pause;
  std::erase_if(homes_, [&](const auto& entry) { return entry.second == &seat; });
}

}  // namespace holdfast::serve
