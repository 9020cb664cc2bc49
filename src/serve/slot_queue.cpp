#include "serve/slot_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace holdfast::serve {
namespace {

constexpr std::chrono::milliseconds look_again{100};
constexpr std::chrono::milliseconds retry_unknown{1'000};  // Before any speed was measured.
// A prompt's beginning that decides where it is written: conversations share that much of their first turn.
constexpr size_t beginning_bytes = 256, homes_max = 512;
// By how many answers a worker with the same beginning may be ahead of the one that writes fewest.
constexpr size_t home_ahead_max = 4;
constexpr int patience =
    4;  // So many times as long as it takes itself may a request wait, whatever the bound.

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

Status SlotQueue::check_wait(const Asker& asker, const Forecast& ahead, const Comer& comer, Crowd& crowd) {
  if (refusal_ && clock_.now() < refused_until_) return *refusal_;
  const auto whole_milliseconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time);
  };
  const auto told = [&](Error error) {
    if (asker.work != nullptr)
      asker.work->retry_after = ahead.likely ? whole_milliseconds(*ahead.likely) : retry_unknown;
    return error;
  };
  const auto left = comer.deadline - std::min(clock_.now(), comer.deadline);
  if (left.count() == 0) return told(fail(Reason::timed_out, "the deadline has passed"));
  if (comer.full) return told(fail(Reason::queue_full, "the model has as many requests waiting as it takes"));
  // Where nothing else is done it may try, or a speed that is no longer true would stand for ever.
  if (comer.others && ahead.whole && whole_milliseconds(*ahead.whole) > left)
    return told(fail(Reason::queue_full,
                     fmt::format("the deadline cannot be kept: {} ms are left, and it takes about {} ms",
                                 left.count(), whole_milliseconds(*ahead.whole).count())));
  auto most = asker.queue_delay_max;
  // What takes long itself may wait for longer: a few neighbours are no crowd.
  if (ahead.turn && ahead.whole)
    most = std::max(most, patience * whole_milliseconds(*ahead.whole - *ahead.turn));
  if (asker.queue_delay_max.count() > 0 && ahead.turn &&
      !crowd.lets_in(clock_.now(), *ahead.turn, ahead.likely.value_or(*ahead.turn), most) && !comer.is_first)
    return told(fail(Reason::queue_full,
                     fmt::format("too many requests wait: the turn of another one would come in about {} ms",
                                 whole_milliseconds(*ahead.turn).count())));
  return Done{};
}

BatchesAhead SlotQueue::batches_ahead(const Asker& asker, double cost) const {
  BatchesAhead ahead{.cost = waiting_.cost_before(asker.key, asker.priority, cost),
                     .own = cost,
                     .workers = std::max<size_t>(ready_seats(), 1)};
  if (ahead.cost > 0) ahead.slices = static_cast<double>(waiting_.size()) * ahead.cost / waiting_.cost();
  for (const Seat* seat : seats_) {
    if (!seat->ready || !seat->working) continue;
    const auto whole = reading_.at_least(1, seat->working_cost);
    const auto passed = ticks_.now() - seat->working_since;
    if (whole && *whole > passed) ahead.running += *whole - passed;
  }
  return ahead;
}

AnswersAhead SlotQueue::answers_ahead(const Asker& asker, double cost) const {
  AnswersAhead ahead{.cost = beginning_.cost_before(asker.key, asker.priority, cost),
                     .own = cost,
                     .workers = std::max<size_t>(ready_seats(), 1)};
  if (ahead.cost > 0) ahead.answers = static_cast<double>(beginning_.size()) * ahead.cost / beginning_.cost();
  for (const Seat* seat : seats_) ahead.writing += seat->writing;
  return ahead;
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
  const BatchesAhead ahead = batches_ahead(asker, cost);
  const bool works = std::any_of(seats_.begin(), seats_.end(),
                                 [](const Seat* seat) { return seat->ready && seat->working; });
  TRY_DONE(check_wait(asker, forecast(options_, reading_, ahead),
                      {.deadline = deadline,
                       .full = coming > options_.slices_max,
                       .others = works || ahead.cost > 0,
                       .is_first = !(ahead.cost > 0)},
                      reading_crowd_));
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
  const AnswersAhead ahead = answers_ahead(asker, cost);
  TRY_DONE(check_wait(asker, forecast(options_, writing_speed_, written_at_once_, ahead),
                      {.deadline = generation.deadline,
                       .full = generations_ + 1 > options_.generations_max,
                       .others = ahead.writing > 0 || ahead.cost > 0,
                       .is_first = !(ahead.cost > 0)},
                      writing_crowd_));
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
    out.back().begun = ticks_.now();
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
    seat.working_cost = 0;
    for (const Slice& slice : turn.batch) seat.working_cost += slice.cost;
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
  constexpr double keep = 0.9;
  std::lock_guard lock(mutex_);
  const auto at_once = static_cast<double>(seat.writing);
  seat.writing -= answers;
  generations_ -= answers;
  if (!whole || !(at_once >= 1)) return;
  writing_speed_.measured(whole->first, whole->second / static_cast<int64_t>(at_once));
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
