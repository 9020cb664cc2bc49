#include "serve/model_slot.h"

#include <fmt/format.h>

#include <algorithm>

#include "process/supervise.h"

namespace holdfast::serve {
namespace {

constexpr std::chrono::milliseconds look_again{50};
// How long the model's thread listens to its worker before it looks for new requests.
constexpr std::chrono::milliseconds listening{4};

// What the caller is told when a model's folder lacks something: the model is there, but not as one we can
// serve.
Error as_model_error(Error error) {
  if (error.code != Code::not_found) return error;
  return fail(Reason::model_unsupported, std::move(error.message));
}

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

Status ModelSlot::push(std::vector<Slice> slices) {
  std::lock_guard lock(mutex_);
  if (refusal_ && clock_.now() < refused_until_) return *refusal_;
  // A single request is let in whatever its size when nothing waits; its inputs are bounded at the door.
  if (!waiting_.empty() && waiting_.size() + slices.size() > options_.slices_max)
    return fail(Reason::queue_full, "the model has as many requests waiting as it takes");
  for (Slice& slice : slices) waiting_.push_back(std::move(slice));
  ready_.notify_one();
  return Done{};
}

Status ModelSlot::push(Generation generation) {
  std::lock_guard lock(mutex_);
  if (refusal_ && clock_.now() < refused_until_) return *refusal_;
  if (generations_ >= options_.generations_max)
    return fail(Reason::queue_full, "the model writes as many answers as it takes");
  ++generations_;
  beginning_.push_back(std::move(generation));
  ready_.notify_one();
  return Done{};
}

bool ModelSlot::idle() const {
  std::lock_guard lock(mutex_);
  return waiting_.empty() && generations_ == 0 && !working_;
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

std::optional<ModelSlot::Batch> ModelSlot::next_batch(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  working_ = false;
  if (writing_.empty()) ready_.wait(lock, stop, [this] { return !waiting_.empty() || !beginning_.empty(); });
  if (stop.stop_requested()) return std::nullopt;
  Batch batch;
  size_t inputs = 0;
  while (!waiting_.empty() &&
         (batch.empty() || inputs + waiting_.front().item.size() <= options_.batch_inputs_max)) {
    Slice slice = std::move(waiting_.front());
    waiting_.pop_front();
    if (slice.ticket->abandoned()) continue;
    inputs += slice.item.size();
    batch.push_back(std::move(slice));
  }
  working_ = !batch.empty();
  if (inputs > 0) probe_.batch(inputs);
  return batch;
}

void ModelSlot::fail_all(const Error& error) {
  std::deque<Slice> all;
  {
    std::lock_guard lock(mutex_);
    all.swap(waiting_);
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
  for (Slice& slice : batch) items.push_back(std::move(slice.item));
  const auto began = ticks_.now();
  auto answers = worker_->ask(items, clock_.now() + options_.batch_timeout);
  probe_.busy(place_, ticks_.now() - began);
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
  if (!event.last()) (void)worker_->cancel(event.id, clock_.now() + options_.batch_timeout);
  writing_.erase(found);
  std::lock_guard lock(mutex_);
  --generations_;
}

// Those whose reader left, before their first event too.
void ModelSlot::drop_unwanted() {
  for (auto at = writing_.begin(); at != writing_.end();) {
    if (!at->second.gone || !at->second.gone()) {
      ++at;
      continue;
    }
    (void)worker_->cancel(at->first, clock_.now() + options_.batch_timeout);
    at = writing_.erase(at);
    std::lock_guard lock(mutex_);
    --generations_;
  }
}

// Begins what waits, and hears the worker for a moment.
void ModelSlot::write(std::stop_token stop) {
  std::vector<Generation> beginning;
  {
    std::lock_guard lock(mutex_);
    beginning.swap(beginning_);
  }
  if (beginning.empty() && writing_.empty()) return;
  const bool there = ensure_worker();
  begin_generations(std::move(beginning));
  if (!there) {
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
  std::vector<Generation> beginning;
  {
    std::lock_guard lock(mutex_);
    beginning.swap(beginning_);
  }
  begin_generations(std::move(beginning));
  fail_generations(fail(Reason::shutting_down, "the model is being unloaded; try again"));
  fail_all(fail(Reason::shutting_down, "the model is being unloaded; try again"));
}

}  // namespace holdfast::serve
