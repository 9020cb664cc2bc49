#include "serve/replica.h"

#include <algorithm>
#include <utility>

#include "serve/adapter_copies.h"

namespace holdfast::serve {
namespace {

// How long the model's thread listens to its worker before it looks for new requests.
constexpr std::chrono::milliseconds listening{10};
constexpr int starts_tried = 4;  // Of workers that die while they load, before anybody is told.

// What the caller is told when a model's folder lacks something: the model is there, but not as one we can
// serve.
Error as_model_error(Error error) {
  if (error.code != Code::not_found) return error;
  return fail(Reason::model_unsupported, std::move(error.message));
}

Error deadline_error() { return fail(Reason::timed_out, "the deadline passed before the answer was whole"); }

}  // namespace

Replica::Replica(const ReplicaParts& parts, size_t place)
    : parts_(parts), place_(place), backoff_(process::BackoffOptions{}) {
  parts_.queue.add(seat_);
  thread_ = std::jthread([this](std::stop_token stop) { run(stop); });
}

Replica::~Replica() {
  thread_.request_stop();
  thread_.join();
  parts_.queue.remove(seat_);
}

void Replica::run(std::stop_token stop) {
  while (true) {
    SlotQueue::Turn turn = parts_.queue.next(seat_, stop);
    if (turn.ends) break;
    if (turn.starts) {
      start();
      continue;
    }
    if (worker_ == nullptr) continue;
    begin(std::move(turn.begins));
    if (!worker_->alive()) {
      parts_.queue.again(std::move(turn.batch),
                         fail(Reason::worker_failed, "the model's worker ended; try again"));
      broke(fail(Reason::worker_failed, "the model's worker ended while it worked; try again"));
      continue;
    }
    if (!turn.batch.empty()) serve(std::move(turn.batch));
    if (worker_ != nullptr) listen();
  }
  left_ = true;
  for (auto& [id, one] : writing_)
    (void)one.on_event(
        {.id = id, .error = fail(Reason::shutting_down, "the model is being unloaded; try again")});
  parts_.queue.wrote(seat_, writing_.size(), nullptr);
  writing_.clear();
  if (worker_ == nullptr) return;
  worker_.reset();
  parts_.queue.lost(seat_, {});
  parts_.probe.worker_stopped();
}

void Replica::start() {
  auto folder = parts_.prepare();
  auto started = folder.ok() ? parts_.starter.start({folder.value(), parts_.model.takes_adapters},
                                                    parts_.clock.now() + parts_.options.load_timeout)
                             : Result<std::unique_ptr<Worker>>(std::move(folder).error());
  if (!started.ok()) {
    parts_.log.failure("model_not_loaded", started.error(), {{"model", parts_.model.name}});
    // It died, which says nothing of the model yet.
    if (started.error().reason == Reason::worker_failed && ++failed_starts_ < starts_tried) {
      parts_.probe.worker_crashed();
      return parts_.queue.lost(seat_, backoff_.after({}));
    }
    failed_starts_ = 0;
    parts_.queue.not_started(seat_, as_model_error(std::move(started).error()));
    return;
  }
  worker_ = std::move(started).value();
  worker_since_ = parts_.clock.now();
  answered_ = false;
  failed_starts_ = 0;
  parts_.probe.worker_started();
  parts_.log.info("model_loaded",
                  {{"model", parts_.model.name}, {"commit", parts_.model.commit}, {"place", place_}});
  parts_.queue.started(seat_, worker_->facts());
}

void Replica::serve(std::vector<Slice> batch) {
  std::vector<EmbedItem> items;
  for (Slice& slice : batch) items.push_back(std::move(slice.item));
  const auto began = parts_.ticks.now();
  auto answers = worker_->ask(items, parts_.clock.now() + parts_.options.batch_timeout);
  const auto took = parts_.ticks.now() - began;
  parts_.probe.busy(place_, took);
  parts_.queue.worked(seat_, batch, took, answers.ok());
  if (!answers.ok()) {
    for (size_t i = 0; i < batch.size(); ++i) batch[i].item = std::move(items[i]);
    parts_.queue.again(std::move(batch), answers.error());
    return broke(answers.error());
  }
  answered_ = true;
  for (size_t i = 0; i < batch.size(); ++i)
    batch[i].ticket->fill(batch[i].first, std::move(answers.value()[i]));
}

// Its answers are written once more by whoever has room, from where their readers are: greedy and seeded ones
// come out the same, and every one has a seed.
void Replica::broke(const Error& error) {
  parts_.log.failure("worker_failed", error, {{"model", parts_.model.name}, {"place", place_}});
  worker_.reset();
  parts_.probe.worker_stopped();
  parts_.probe.worker_crashed();
  written_at_ = std::chrono::nanoseconds{-1};
  const auto now = parts_.clock.now();
  parts_.queue.lost(seat_, answered_ ? std::chrono::milliseconds{} : backoff_.after(now - worker_since_));
  for (auto& [id, one] : std::exchange(writing_, {})) {
    const bool wanted = !(one.gone && one.gone());
    if (wanted && ++one.attempts < parts_.options.attempts_max && one.deadline > now) {
      one.delivered.from_the_start();
      parts_.queue.again(seat_, std::move(one));
      continue;
    }
    if (wanted) (void)one.on_event({.id = id, .error = error});
    parts_.queue.wrote(seat_, 1, nullptr);
  }
}

void Replica::begin(std::vector<Generation> all) {
  for (Generation& one : all) {
    const uint64_t id = ++last_generation_;
    const GenerateAsk ask{id, one.request, one.adapter == nullptr ? "" : one.adapter->place()};
    writing_.emplace(id, std::move(one));
    heard_at_ = parts_.clock.now();
    // A worker that is gone is found out when it is listened to.
    (void)worker_->generate(ask, parts_.clock.now() + parts_.options.batch_timeout);
  }
}

void Replica::tell(GenerateEvent event) {
  const auto found = writing_.find(event.id);
  if (found == writing_.end()) return;  // Was cancelled.
  answered_ = true;
  Generation& one = found->second;
  one.delivered.pass(event);
  if (!event.says_something()) return;  // They had it from another worker.
  event.busy = std::exchange(one.busy, {});
  const bool more = one.on_event(event);
  if (more && !event.last()) return;
  if (!event.last()) (void)worker_->cancel(event.id, parts_.clock.now() + parts_.options.batch_timeout);
  if (event.end) {
    parts_.probe.wrote(*event.end);
    parts_.queue.wrote(seat_, 1, &one);
  } else {
    parts_.queue.wrote(seat_, 1, nullptr);
  }
  writing_.erase(found);
}

// Those whose reader left or whose time is up, before their first event too.
void Replica::drop_unwanted() {
  const auto now = parts_.clock.now();
  for (auto at = writing_.begin(); at != writing_.end();) {
    Generation& one = at->second;
    const bool gone = one.gone && one.gone();
    if (!gone && one.deadline > now) {
      ++at;
      continue;
    }
    if (!gone) (void)one.on_event({.id = at->first, .error = deadline_error()});
    (void)worker_->cancel(at->first, now + parts_.options.batch_timeout);
    at = writing_.erase(at);
    parts_.queue.wrote(seat_, 1, nullptr);
  }
}

// Hears the worker for a moment while it writes.
void Replica::listen() {
  if (writing_.empty()) {
    written_at_ = std::chrono::nanoseconds{-1};
    return;
  }
  drop_unwanted();
  const auto now = parts_.clock.now();
  auto events = worker_->events(now + listening, now + parts_.options.batch_timeout);
  const auto ticked = parts_.ticks.now();
  if (written_at_.count() >= 0) {
    parts_.probe.busy(place_, ticked - written_at_);
    for (auto& [id, one] : writing_)
      one.busy += (ticked - written_at_) / static_cast<int64_t>(writing_.size());
  }
  written_at_ = ticked;
  if (!events.ok()) return broke(events.error());
  if (!events.value().empty()) {
    heard_at_ = now;
    parts_.probe.writing(writing_.size());
  }
  for (GenerateEvent& event : events.value()) tell(std::move(event));
  if (!writing_.empty() && parts_.clock.now() > heard_at_ + parts_.options.batch_timeout)
    broke(fail(Reason::worker_failed, "the model's worker did not answer in time; try again"));
}

}  // namespace holdfast::serve
