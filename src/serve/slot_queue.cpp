#include "serve/slot_queue.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace holdfast::serve {
namespace {

constexpr std::chrono::milliseconds look_again{100};
// A prompt's beginning that decides where it is written: conversations share that much of their first turn.
constexpr size_t beginning_bytes = 256, homes_max = 512;
// So many batches at least are there in the time that the first of one had, where it said how long.
constexpr int batches_in_a_deadline = 4;
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

// What became of a forecast.
template <class Waiting>
void answered(Turnstile& door, const Waiting& one, std::chrono::milliseconds now) {
  if (one.foreseen.count() >= 0) door.foresight().came(now, one.foreseen, now - one.pushed);
}

// By its deadline it was not answered: nobody knows when it would have been, but that it is later than that.
template <class Waiting>
void missed(Turnstile& door, const Waiting& one, std::chrono::milliseconds now) {
  constexpr double later = 1.25;
  if (one.foreseen.count() >= 0)
    door.foresight().came(
        now, one.foreseen,
        std::chrono::duration_cast<std::chrono::nanoseconds>(later * (one.deadline - one.pushed)));
}

}  // namespace

size_t SlotQueue::ready_seats() const {
  return static_cast<size_t>(
      std::count_if(seats_.begin(), seats_.end(), [](const Seat* seat) { return seat->ready; }));
}

// How many times as long as it should the last batch took, or the slowest of those that run takes already.
double SlotQueue::overdue() const {
  double most = last_batch_;
  for (const Seat* seat : seats_) {
    if (!seat->ready || !seat->working) continue;
    const auto whole = reading_.expected(1, seat->working_cost);
    if (!whole || whole->count() <= 0) continue;
    const auto passed = ticks_.now() - seat->working_since;
    most = std::max(most, static_cast<double>(passed.count()) / static_cast<double>(whole->count()));
  }
  return std::min(most, Foresight::factor_max);
}

BatchesAhead SlotQueue::batches_ahead(const Asker& asker, double cost) const {
  BatchesAhead ahead{.cost = waiting_.cost_before(asker.key, asker.priority, cost),
                     .own = cost,
                     .workers = std::max<size_t>(ready_seats(), 1)};
  if (ahead.cost > 0) ahead.slices = static_cast<double>(waiting_.size()) * ahead.cost / waiting_.cost();
  for (const Seat* seat : seats_) {
    if (!seat->ready || !seat->working) continue;
    const auto whole = reading_.at_least(1, seat->working_cost);
    if (!whole) continue;
    const auto passed = ticks_.now() - seat->working_since;
    // What is late by so much is likely to be late by as much again.
    ahead.running += *whole > passed ? *whole - passed : passed - *whole;
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
  if (is_refused()) return *refusal_;
  const Forecast seen = forecast(options_, reading_, ahead);
  TRY_DONE(reading_door_.let_in(asker, seen,
                                {.deadline = deadline,
                                 .full = coming > options_.slices_max,
                                 .others = works || ahead.cost > 0,
                                 .is_first = !(ahead.cost > 0),
                                 .overdue = overdue()}));
  for (Slice& slice : slices) {
    const double slice_cost = slice.cost;
    slice.pushed = clock_.now();
    if (seen.sure) slice.foreseen = *seen.whole;
    waiting_.push(asker.key, asker.priority, slice_cost, std::move(slice));
  }
  ready_.notify_all();
  return Done{};
}

Status SlotQueue::push(Generation generation, const Asker& asker) {
  std::lock_guard lock(mutex_);
  const double cost = generation.cost;
  const AnswersAhead ahead = answers_ahead(asker, cost);
  if (is_refused()) return *refusal_;
  const Forecast seen = forecast(options_, writing_speed_, written_at_once_, ahead);
  TRY_DONE(writing_door_.let_in(asker, seen,
                                {.deadline = generation.deadline,
                                 .full = generations_ + 1 > options_.generations_max,
                                 .others = ahead.writing > 0 || ahead.cost > 0,
                                 .is_first = !(ahead.cost > 0)}));
  ++generations_;
  generation.pushed = clock_.now();
  if (seen.sure) generation.foreseen = *seen.whole;
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

// Takes out the slices that nobody waits for any more. Under the mutex.
void SlotQueue::drop_stale() {
  const auto now = clock_.now();
  const auto stale = [&](const Slice& one) { return one.ticket->abandoned() || one.deadline <= now; };
  const auto tell = [&](Slice& slice) {
    if (slice.deadline <= now) missed(reading_door_, slice, now);
    slice.ticket->fill(slice.first, fail(Reason::timed_out, "the deadline passed before the turn came"));
  };
  for (Slice& slice : waiting_.take_if(stale)) tell(slice);
  for (Slice& slice : again_)
    if (stale(slice)) tell(slice);
  std::erase_if(again_, stale);
}

// How long the batch may take that begins with this one: a part of the time that it had, so that who comes
// next to it need not wait for much behind it, and no longer than it has left; but not so short that most of
// it is what any batch takes.
std::chrono::nanoseconds SlotQueue::batch_time(const Slice& first) const {
  const auto least = std::max(reading_.expected(1, first.cost), reading_.expected(2, 0));
  if (first.deadline == std::chrono::milliseconds::max() || !least) return std::chrono::nanoseconds::max();
  const auto now = clock_.now();
  const std::chrono::nanoseconds had = first.deadline - first.pushed,
                                 left = first.deadline - std::min(now, first.deadline);
  const auto sure =
      std::chrono::duration_cast<std::chrono::nanoseconds>(left / batch_doubt_.factor(clock_.now()));
  return std::max(*least, std::min(had / batches_in_a_deadline, sure));
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
  auto longest = std::chrono::nanoseconds::max();
  double whole_cost = 0;
  const auto fits = [&](const Slice& next) {
    if (longest == std::chrono::nanoseconds::max()) return true;
    const auto takes = reading_.expected(1, whole_cost + next.cost);
    return !takes || *takes <= longest;
  };
  while (!waiting_.empty()) {
    const Slice& next = waiting_.front();
    const size_t more = next.item.size();
    const double tokens = tokens_of(next);
    if (!batch.empty() &&
        (inputs + more > options_.batch_inputs_max || cost + tokens > budget || !fits(next)))
      break;
    const auto most = batch_time(next);
    // Of those that are too late already one may try, where nothing else waits.
    if (batch.empty() && waiting_.size() > 1 && most != std::chrono::nanoseconds::max() &&
        clock_.now() + std::chrono::duration_cast<std::chrono::milliseconds>(
                           most * batch_doubt_.factor(clock_.now())) >
            next.deadline) {
      Slice late = waiting_.pop();
      missed(reading_door_, late, clock_.now());
      late.ticket->fill(late.first, fail(Reason::timed_out, "the deadline passed before the turn came"));
      continue;
    }
    longest = std::min(longest, most);
    batch.push_back(waiting_.pop());
    whole_cost += batch.back().cost;
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
  for (const Generation& one : late)
    if (one.deadline <= now) missed(writing_door_, one, now);
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
    if (!turn.batch.empty()) {
      seat.working_since = ticks_.now();
      seat.between = seat.ended.count() < 0 ? std::chrono::nanoseconds{} : seat.working_since - seat.ended;
    }
    seat.ended = std::chrono::nanoseconds{-1};
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
