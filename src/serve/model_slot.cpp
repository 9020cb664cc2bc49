#include "serve/model_slot.h"

#include <fmt/format.h>

#include <algorithm>

#include "process/supervise.h"

namespace holdfast::serve {
namespace {

constexpr std::chrono::milliseconds look_again{50};
// How long the model's thread listens to its worker before it looks for new requests.
constexpr std::chrono::milliseconds listening{4};
constexpr std::chrono::milliseconds retry_unknown{1'000};  // Before any speed was measured.

// What the caller is told when a model's folder lacks something: the model is there, but not as one we can
// serve.
Error as_model_error(Error error) {
  if (error.code != Code::not_found) return error;
  return fail(Reason::model_unsupported, std::move(error.message));
}

Error deadline_error() { return fail(Reason::timed_out, "the deadline passed before the answer was whole"); }

}  // namespace

ModelSlot::ModelSlot(ServedModel model, SlotOptions options, size_t place, Prepare prepare,
                     WorkerStarter& starter, ServeProbe& probe, const Clock& clock, const Ticks& ticks,
                     Log& log)
    : model_(std::move(model)),
      options_(options),
      place_(place),
      prepare_(std::move(prepare)),
      starter_(starter),
      probe_(probe),
      clock_(clock),
      ticks_(ticks),
      log_(log),
      backoff_(process::BackoffOptions{}),
      thread_([this](std::stop_token stop) { run(stop); }) {}

ModelSlot::~ModelSlot() {
  thread_.request_stop();
  thread_.join();
}

template <class T>
Status ModelSlot::check_room(const FairQueue<T>& queue, const Speed& speed, const Asker& asker, double cost,
                             std::chrono::milliseconds deadline, size_t full_beyond, size_t coming) const {
  if (refusal_ && clock_.now() < refused_until_) return *refusal_;
  const auto wait = speed.time_of(queue.cost_before(asker.key, asker.priority, cost));
  const auto told = [&](Error error) {
    if (asker.work != nullptr) asker.work->retry_after = wait.value_or(retry_unknown);
    return error;
  };
  const auto left = deadline - std::min(clock_.now(), deadline);
  if (left.count() == 0) return told(fail(Reason::timed_out, "the deadline has passed"));
  if (coming > full_beyond)
    return told(fail(Reason::queue_full, "the model has as many requests waiting as it takes"));
  if (wait && *wait > left)
    return told(fail(Reason::queue_full,
                     fmt::format("the deadline cannot be kept: {} ms are left, and the wait is about {} ms",
                                 left.count(), wait->count())));
  return Done{};
}

Status ModelSlot::push(std::vector<Slice> slices, const Asker& asker) {
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
    waiting_.push(asker.key, asker.priority, slice_cost, std::move(slice));
  }
  ready_.notify_one();
  return Done{};
}

Status ModelSlot::push(Generation generation, const Asker& asker) {
  std::lock_guard lock(mutex_);
  const double cost = generation.cost;
  TRY_DONE(check_room(beginning_, writing_speed_, asker, cost, generation.deadline, options_.generations_max,
                      generations_ + 1));
  ++generations_;
  beginning_.push(asker.key, asker.priority, cost, std::move(generation));
  ready_.notify_one();
  return Done{};
}

bool ModelSlot::idle() const {
  std::lock_guard lock(mutex_);
  return waiting_.empty() && generations_ == 0 && !working_;
}

size_t ModelSlot::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_.size() + beginning_.size();
}

std::optional<WorkerFacts> ModelSlot::facts() const {
  std::lock_guard lock(mutex_);
  return facts_;
}

std::chrono::nanoseconds ModelSlot::loading_between(std::chrono::nanoseconds begin,
                                                    std::chrono::nanoseconds end) const {
  std::lock_guard lock(mutex_);
  if (load_began_.count() < 0) return {};
  const auto until = load_ended_.count() < 0 ? end : std::min(end, load_ended_);
  return std::max(until - std::max(begin, load_began_), std::chrono::nanoseconds{});
}

// Takes out the slices that nobody waits for any more. Under the mutex.
void ModelSlot::drop_stale() {
  const auto now = clock_.now();
  for (Slice& slice :
       waiting_.take_if([&](const Slice& one) { return one.ticket->abandoned() || one.deadline <= now; }))
    slice.ticket->fill(slice.first, fail(Reason::timed_out, "the deadline passed before the turn came"));
}

std::optional<ModelSlot::Batch> ModelSlot::next_batch(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  working_ = false;
  if (writing_.empty()) ready_.wait(lock, stop, [this] { return !waiting_.empty() || !beginning_.empty(); });
  if (stop.stop_requested()) return std::nullopt;
  drop_stale();
  Batch batch;
  size_t inputs = 0;
  while (!waiting_.empty() &&
         (batch.empty() || inputs + waiting_.front().item.size() <= options_.batch_inputs_max)) {
    batch.push_back(waiting_.pop());
    inputs += batch.back().item.size();
  }
  working_ = !batch.empty();
  if (inputs > 0) probe_.batch(inputs);
  return batch;
}

void ModelSlot::fail_all(const Error& error) {
  std::vector<Slice> all;
  {
    std::lock_guard lock(mutex_);
    all = waiting_.take_if([](const Slice&) { return true; });
    refusal_ = error;
    refused_until_ = clock_.now() + options_.refusal_lasts;
  }
  for (Slice& slice : all) slice.ticket->fill(slice.first, error);
}

bool ModelSlot::ensure_worker() {
  if (worker_ && worker_->alive()) return true;
  if (worker_) {
    worker_.reset();
    probe_.worker_stopped();
    probe_.worker_crashed();
    log_.warn("worker_ended", {{"model", model_.name}});
    fail_generations(fail(Reason::worker_failed, "the model's worker ended while it worked; try again"));
  }
  {
    std::lock_guard lock(mutex_);
    load_began_ = ticks_.now();
    load_ended_ = std::chrono::nanoseconds{-1};
  }
  auto folder = prepare_();
  auto started = folder.ok() ? starter_.start(folder.value(), clock_.now() + options_.load_timeout)
                             : Result<std::unique_ptr<Worker>>(std::move(folder).error());
  {
    std::lock_guard lock(mutex_);
    load_ended_ = ticks_.now();
  }
  if (!started.ok()) {
    log_.failure("model_not_loaded", started.error(), {{"model", model_.name}});
    fail_all(as_model_error(std::move(started).error()));
    return false;
  }
  worker_ = std::move(started).value();
  worker_since_ = clock_.now();
  probe_.worker_started();
  log_.info("model_loaded", {{"model", model_.name}, {"commit", model_.commit}});
  std::lock_guard lock(mutex_);
  facts_ = worker_->facts();
  refusal_.reset();
  return true;
}

void ModelSlot::pause(std::chrono::milliseconds length, std::stop_token stop) {
  const auto until = clock_.now() + length;
  while (!stop.stop_requested() && clock_.now() < until) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, stop, look_again, [] { return false; });
  }
}

void ModelSlot::serve(Batch batch, std::stop_token stop) {
  std::vector<EmbedItem> items;
  double cost = 0;
  for (Slice& slice : batch) {
    items.push_back(std::move(slice.item));
    cost += slice.cost;
  }
  const auto began = ticks_.now();
  auto answers = worker_->ask(items, clock_.now() + options_.batch_timeout);
  const auto took = ticks_.now() - began;
  probe_.busy(place_, took);
  if (answers.ok()) {
    std::lock_guard lock(mutex_);
    reading_.measured(cost, took);
  }
  if (answers.ok()) {
    for (size_t i = 0; i < batch.size(); ++i)
      batch[i].ticket->fill(batch[i].first, std::move(answers.value()[i]));
    return;
  }
  for (Slice& slice : batch) slice.ticket->fill(slice.first, answers.error());
  worker_broke(answers.error(), stop);
}

void ModelSlot::worker_broke(const Error& error, std::stop_token stop) {
  log_.failure("worker_failed", error, {{"model", model_.name}});
  worker_.reset();
  probe_.worker_stopped();
  probe_.worker_crashed();
  fail_generations(error);
  pause(backoff_.after(clock_.now() - worker_since_), stop);
}

void ModelSlot::fail_generations(const Error& error) {
  for (auto& [id, one] : writing_) (void)one.on_event({.id = id, .error = error});
  std::lock_guard lock(mutex_);
  generations_ -= writing_.size();
  writing_.clear();
}

void ModelSlot::begin_generations(std::vector<Generation> all) {
  for (Generation& one : all) {
    const uint64_t id = ++last_generation_;
    GenerateAsk ask{id, std::move(one.request)};
    writing_.emplace(id, std::move(one));
    if (worker_ == nullptr) continue;  // They fail together below.
    heard_at_ = clock_.now();
    // A worker that is gone is found out when it is listened to.
    (void)worker_->generate(ask, clock_.now() + options_.batch_timeout);
  }
}

void ModelSlot::tell(const GenerateEvent& event) {
  const auto found = writing_.find(event.id);
  if (found == writing_.end()) return;  // Was cancelled.
  const bool more = found->second.on_event(event);
  if (more && !event.last()) return;
  if (event.end) {
    std::lock_guard lock(mutex_);
    writing_speed_.measured(found->second.cost, writing_time_);
    writing_time_ = {};
  }
  if (!event.last()) (void)worker_->cancel(event.id, clock_.now() + options_.batch_timeout);
  writing_.erase(found);
  std::lock_guard lock(mutex_);
  --generations_;
}

// Those whose reader left or whose time is up, before their first event too.
void ModelSlot::drop_unwanted() {
  const auto now = clock_.now();
  for (auto at = writing_.begin(); at != writing_.end();) {
    Generation& one = at->second;
    const bool gone = one.gone && one.gone();
    if (!gone && one.deadline > now) {
      ++at;
      continue;
    }
    if (!gone) (void)one.on_event({.id = at->first, .error = deadline_error()});
    if (worker_ != nullptr) (void)worker_->cancel(at->first, now + options_.batch_timeout);
    at = writing_.erase(at);
    std::lock_guard lock(mutex_);
    --generations_;
  }
}

// Whose turn it is, at most so many; those that nobody waits for any more leave the queue here.
std::vector<Generation> ModelSlot::next_generations(size_t most) {
  std::vector<Generation> out, late;
  {
    std::lock_guard lock(mutex_);
    const auto now = clock_.now();
    late = beginning_.take_if(
        [&](const Generation& one) { return one.deadline <= now || (one.gone && one.gone()); });
    generations_ -= late.size();
    while (!beginning_.empty() && out.size() < most) out.push_back(beginning_.pop());
  }
  for (Generation& one : late)
    if (!one.gone || !one.gone()) (void)one.on_event({.error = deadline_error()});
  return out;
}

// Begins what waits, and hears the worker for a moment.
void ModelSlot::write(std::stop_token stop) {
  std::vector<Generation> beginning =
      next_generations(options_.writing_max - std::min(options_.writing_max, writing_.size()));
  if (beginning.empty() && writing_.empty()) {
    written_at_ = std::chrono::nanoseconds{-1};
    return;
  }
  const bool there = ensure_worker();
  begin_generations(std::move(beginning));
  if (!there) {
    begin_generations(next_generations(SIZE_MAX));
    std::optional<Error> why;
    {
      std::lock_guard lock(mutex_);
      why = refusal_;
    }
    return fail_generations(*why);
  }
  drop_unwanted();
  const auto now = clock_.now();
  auto events = worker_->events(now + listening, now + options_.batch_timeout);
  const auto ticked = ticks_.now();
  if (written_at_.count() >= 0) writing_time_ += ticked - written_at_;
  written_at_ = ticked;
  if (!events.ok()) return worker_broke(events.error(), stop);
  if (!events.value().empty()) heard_at_ = now;
  for (const GenerateEvent& event : events.value()) tell(event);
  if (!writing_.empty() && clock_.now() > heard_at_ + options_.batch_timeout)
    worker_broke(fail(Reason::worker_failed, "the model's worker did not answer in time; try again"), stop);
}

void ModelSlot::run(std::stop_token stop) {
  while (auto batch = next_batch(stop)) {
    write(stop);
    if (batch->empty()) continue;
    if (ensure_worker()) {
      serve(std::move(*batch), stop);
      continue;
    }
    std::optional<Error> why;
    {
      std::lock_guard lock(mutex_);
      why = refusal_;
    }
    for (Slice& slice : *batch) slice.ticket->fill(slice.first, *why);
  }
  if (worker_) {
    worker_.reset();
    probe_.worker_stopped();
  }
  begin_generations(next_generations(SIZE_MAX));
  fail_generations(fail(Reason::shutting_down, "the model is being unloaded; try again"));
  fail_all(fail(Reason::shutting_down, "the model is being unloaded; try again"));
}

}  // namespace holdfast::serve
