#include "serve/model_slot.h"

#include <fmt/format.h>

#include <algorithm>

#include "process/supervise.h"

namespace holdfast::serve {
namespace {

constexpr std::chrono::milliseconds look_again{50};

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

bool ModelSlot::idle() const {
  std::lock_guard lock(mutex_);
  return waiting_.empty() && !working_;
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
  ready_.wait(lock, stop, [this] { return !waiting_.empty(); });
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
  log_.failure("worker_failed", answers.error(), {{"model", model_.name}});
  worker_.reset();
  probe_.worker_stopped();
  probe_.worker_crashed();
  for (Slice& slice : batch) slice.ticket->fill(slice.first, answers.error());
  pause(backoff_.after(clock_.now() - worker_since_), stop);
}

void ModelSlot::run(std::stop_token stop) {
  while (auto batch = next_batch(stop)) {
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
  fail_all(fail(Reason::shutting_down, "the model is being unloaded; try again"));
}

}  // namespace holdfast::serve
