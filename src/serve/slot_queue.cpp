#include "serve/slot_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <type_traits>

namespace holdfast::serve {
namespace {

constexpr std::chrono::milliseconds look_again{100};
constexpr std::chrono::milliseconds retry_unknown{1'000};  // Before any speed was measured.
// A prompt's beginning that decides where it is written: conversations share that much of their first turn.
constexpr size_t beginning_bytes = 256, homes_max = 512;
// By how many answers a worker with the same beginning may be ahead of the one that writes fewest.
constexpr size_t home_ahead_max = 4;

Error deadline_error() { return fail(Reason::timed_out, "the deadline passed before the answer was whole"); }

std::optional<uint64_t> beginning_of(const Generation& generation) {
  if (generation.request.size() < beginning_bytes) return std::nullopt;
  return std::hash<std::string_view>{}(std::string_view(generation.request).substr(0, beginning_bytes));
}

bool is_late(const Generation& one, std::chrono::milliseconds now) {
  return one.deadline <= now || (one.gone && one.gone());
}

}  // namespace

size_t SlotQueue::ready_seats() const {
  return static_cast<size_t>(
      std::count_if(seats_.begin(), seats_.end(), [](const Seat* seat) { return seat->ready; }));
}

template <class T>
Status SlotQueue::check_room(const FairQueue<T>& queue, const Speed& speed, const Asker& asker, double cost,
                             std::chrono::milliseconds deadline, size_t full_beyond, size_t coming) const {
  if (refusal_ && clock_.now() < refused_until_) return *refusal_;
  const double before = queue.cost_before(asker.key, asker.priority, cost);
  const auto time_of = [&](double all) {
    auto time = speed.time_of(all);
    if (time) *time /= static_cast<int64_t>(std::max<size_t>(ready_seats(), 1));
    return time;
  };
  // A batch takes half of what waits, so the one that runs is about as large as what waits now.
  double running = 0;
  bool busy = before > 0;
  if constexpr (std::is_same_v<T, Slice>) {
    const bool works = std::any_of(seats_.begin(), seats_.end(),
                                   [](const Seat* seat) { return seat->ready && seat->working; });
    const auto inputs = static_cast<double>(std::min(options_.batch_inputs_max, queue.size()));
    busy = busy || works;
    if (works && !queue.empty())
      running =
          std::min(queue.cost() * inputs / static_cast<double>(queue.size()), options_.batch_tokens_max);
  }
  const auto wait = time_of(before), whole = time_of(running + before + cost);
  const auto told = [&](Error error) {
    if (asker.work != nullptr) asker.work->retry_after = wait.value_or(retry_unknown);
    return error;
  };
  const auto left = deadline - std::min(clock_.now(), deadline);
  if (left.count() == 0) return told(fail(Reason::timed_out, "the deadline has passed"));
  if (coming > full_beyond)
    return told(fail(Reason::queue_full, "the model has as many requests waiting as it takes"));
  // Where nothing else is done it may try, or a speed that is no longer true would stand for ever.
  if (busy && whole && *whole > left)
    return told(fail(Reason::queue_full,
                     fmt::format("the deadline cannot be kept: {} ms are left, and it takes about {} ms",
                                 left.count(), whole->count())));
  return Done{};
}

Status SlotQueue::push(std::vector<Slice> slices, const Asker& asker) {
  double cost = 0;
  auto deadline = std::chrono::milliseconds::max();
  for (const Slice& slice : slices) {
    cost += slice.cost;
    deadline = std::min(deadline, slice.deadline);
  }
  std::lock_guard lock(mutex_);
  if (waiting_.size() + slices.size() > options_.slices_max) drop_stale();
  // A single request is let in whatever its size when nothing waits; its inputs are bounded at the door.
  const size_t coming = waiting_.empty() ? 0 : waiting_.size() + slices.size();
  TRY_DONE(check_room(waiting_, reading_, asker, cost, deadline, options_.slices_max, coming));
  for (Slice& slice : slices) {
    const double slice_cost = slice.cost;
    slice.pushed = clock_.now();
    waiting_.push(asker.key, asker.priority, slice_cost, std::move(slice));
  }
  ready_.notify_all();
  return Done{};
}

Status SlotQueue::push(Generation generation, const Asker& asker) {
  std::lock_guard lock(mutex_);
  const double cost = generation.cost;
  TRY_DONE(check_room(beginning_, writing_speed_, asker, cost, generation.deadline, options_.generations_max,
                      generations_ + 1));
  ++generations_;
  generation.pushed = clock_.now();
  beginning_.push(asker.key, asker.priority, cost, std::move(generation));
  ready_.notify_all();
  return Done{};
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
  if (seat.warm) return !(refusal_ && clock_.now() < refused_until_);
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

// Takes out the slices that nobody waits for any more. Under the mutex.
void SlotQueue::drop_stale() {
  const auto now = clock_.now();
  const auto stale = [&](const Slice& one) { return one.ticket->abandoned() || one.deadline <= now; };
  const auto tell = [](Slice& slice) {
    slice.ticket->fill(slice.first, fail(Reason::timed_out, "the deadline passed before the turn came"));
  };
  for (Slice& slice : waiting_.take_if(stale)) tell(slice);
  for (Slice& slice : again_)
    if (stale(slice)) tell(slice);
  std::erase_if(again_, stale);
}

// What a worker died of goes alone the next time, so that it takes nobody with it.
std::vector<Slice> SlotQueue::take_batch() {
  std::vector<Slice> batch;
  if (!again_.empty()) {
    batch.push_back(std::move(again_.front()));
    again_.pop_front();
    probe_.batch(batch.front().item.size(), batch.front().cost);
    return batch;
  }
  size_t inputs = 0;
  double cost = 0;
  // The model cuts what is longer than it takes.
  const auto tokens_of = [&](const Slice& slice) {
    const auto most = static_cast<double>(facts_ ? facts_->tokens_max : 0);
    return most > 0 ? std::min(slice.cost, most * static_cast<double>(slice.item.size())) : slice.cost;
  };
  const double budget = std::clamp(waiting_.cost() / 2, options_.batch_tokens_min, options_.batch_tokens_max);
  while (!waiting_.empty()) {
    const Slice& next = waiting_.front();
    const size_t more = next.item.size();
    const double tokens = tokens_of(next);
    if (!batch.empty() && (inputs + more > options_.batch_inputs_max || cost + tokens > budget)) break;
    batch.push_back(waiting_.pop());
    inputs += more;
    cost += tokens;
  }
  if (inputs > 0) probe_.batch(inputs, cost);
  return batch;
}

void SlotQueue::remember_home(const Generation& generation, const Seat& seat) {
  const auto beginning = beginning_of(generation);
  if (!beginning) return;
  if (homes_.size() >= homes_max) homes_.clear();
  homes_[*beginning] = &seat;
}

// Those that nobody waits for any more leave the queue here.
std::vector<Generation> SlotQueue::take_late() {
  const auto now = clock_.now();
  std::vector<Generation> late =
      beginning_.take_if([&](const Generation& waiting) { return is_late(waiting, now); });
  generations_ -= late.size();
  return late;
}

std::vector<Generation> SlotQueue::take_generations(Seat& seat) {
  std::vector<Generation> out;
  while (!beginning_.empty() && seat.writing < options_.writing_max &&
         seat_for(beginning_.front()) == &seat) {
    out.push_back(beginning_.pop());
    remember_home(out.back(), seat);
    ++seat.writing;
  }
  if (!beginning_.empty()) ready_.notify_all();
  return out;
}

SlotQueue::Turn SlotQueue::next(Seat& seat, const std::stop_token& stop) {
  Turn turn;
  std::vector<Generation> late;
  {
    std::unique_lock lock(mutex_);
    seat.working = false;
    if (seat.writing == 0) ready_.wait_for(lock, stop, look_again, [&] { return has_turn(seat); });
    if (stop.stop_requested() || (seat.leaving && seat.writing == 0)) {
      turn.ends = true;
      return turn;
    }
    drop_stale();
    late = take_late();
    if (!seat.ready && may_start(seat)) {
      seat.starting = turn.starts = true;
      if (ready_seats() == 0) {
        load_began_ = ticks_.now();
        load_ended_ = std::chrono::nanoseconds{-1};
      }
    }
    if (seat.ready && !seat.leaving) {
      turn.batch = take_batch();
      turn.begins = take_generations(seat);
    }
    seat.working = turn.starts || !turn.batch.empty();
    if (!turn.batch.empty()) seat.working_since = ticks_.now();
  }
  for (Generation& one : late)
    if (!one.gone || !one.gone()) (void)one.on_event({.error = deadline_error()});
  return turn;
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

void SlotQueue::worked(Seat& seat, double cost, std::chrono::nanoseconds took, bool good) {
  std::lock_guard lock(mutex_);
  seat.working = false;
  seat.busy += took;
  if (good) reading_.measured(cost, took);
}

void SlotQueue::wrote(Seat& seat, size_t answers,
                      std::optional<std::pair<double, std::chrono::nanoseconds>> whole) {
  std::lock_guard lock(mutex_);
  seat.writing -= answers;
  generations_ -= answers;
  if (whole) writing_speed_.measured(whole->first, whole->second);
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
