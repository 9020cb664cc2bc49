#include "serve/slot_queue.h"

#include <algorithm>

namespace holdfast::serve {
namespace {

constexpr std::chrono::milliseconds look_again{100};
// So many batches at least are there in the time that the first of one had, where it said how long.
constexpr int batches_in_a_deadline = 4;

Error deadline_error() { return fail(Reason::timed_out, "the deadline passed before the answer was whole"); }

bool is_late(const Generation& one, std::chrono::milliseconds now) {
  return one.deadline <= now || (one.gone && one.gone());
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
  std::unique_lock lock(mutex_);
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
  lock.unlock();  // Who wakes up finds the mutex free.
  ready_.notify_all();
  return Done{};
}

Status SlotQueue::push(Generation generation, const Asker& asker) {
  std::unique_lock lock(mutex_);
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
  lock.unlock();  // Who wakes up finds the mutex free.
  ready_.notify_all();
  return Done{};
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
std::chrono::nanoseconds SlotQueue::batch_time(const Slice& first, double doubt) const {
  const auto least = std::max(reading_.expected(1, first.cost), reading_.expected(2, 0));
  if (first.deadline == std::chrono::milliseconds::max() || !least) return std::chrono::nanoseconds::max();
  const auto now = clock_.now();
  const std::chrono::nanoseconds had = first.deadline - first.pushed,
                                 left = first.deadline - std::min(now, first.deadline);
  const auto sure = std::chrono::duration_cast<std::chrono::nanoseconds>(left / doubt);
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
  const double doubt = batch_doubt_.factor(clock_.now());
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
    const auto most = batch_time(next, doubt);
    // Of those that are too late already one may try, where nothing else waits.
    if (batch.empty() && waiting_.size() > 1 && most != std::chrono::nanoseconds::max() &&
        clock_.now() + std::chrono::duration_cast<std::chrono::milliseconds>(most * doubt) > next.deadline) {
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

}  // namespace holdfast::serve
