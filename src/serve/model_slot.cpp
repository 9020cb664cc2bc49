#include "serve/model_slot.h"

#include <algorithm>

namespace holdfast::serve {

ModelSlot::ModelSlot(ServedModel model, const SlotOptions& options, size_t place, Prepare prepare,
                     WorkerStarter& starter, ServeProbe& probe, const Clock& clock, const Ticks& ticks,
                     Log& log)
    : model_(std::move(model)),
      options_(options),
      prepare_(std::move(prepare)),
      queue_(options_, probe, clock, ticks),
      parts_{.model = model_,
             .options = options_,
             .prepare = prepare_,
             .queue = queue_,
             .starter = starter,
             .probe = probe,
             .clock = clock,
             .ticks = ticks,
             .log = log},
      scaler_(options_.scaling) {
  std::lock_guard lock(mutex_);
  make_replica(place);
}

ModelSlot::~ModelSlot() {
  replicas_.clear();
  queue_.fail_all(fail(Reason::shutting_down, "the model is being unloaded; try again"));
}

void ModelSlot::make_replica(size_t place) {
  replicas_.push_back({.replica = std::make_unique<Replica>(parts_, place)});
  warm_some();
}

// The first only where one is kept: of a model that comes on demand it is started by the first request. All
// others stand for a load that is there.
void ModelSlot::warm_some() {
  for (size_t i = 0; i < replicas_.size(); ++i) replicas_[i].replica->keep_warm(i > 0 || bounds_.least > 0);
}

std::vector<size_t> ModelSlot::places() const {
  std::lock_guard lock(mutex_);
  std::vector<size_t> out;
  for (const Place& one : replicas_) out.push_back(one.replica->place());
  return out;
}

Replicas ModelSlot::bounds() const {
  std::lock_guard lock(mutex_);
  return bounds_;
}

void ModelSlot::set_bounds(const Replicas& bounds) {
  std::lock_guard lock(mutex_);
  if (bounds_ == bounds) return;
  bounds_ = bounds;
  warm_some();
}

ModelSlot::Look ModelSlot::look() {
  Look out{.load = queue_.load()};
  std::lock_guard lock(mutex_);
  wanted_ = out.wanted = scaler_.wanted(parts_.clock.now(), out.load, bounds_, wanted_);
  return out;
}

size_t ModelSlot::wanted() const {
  std::lock_guard lock(mutex_);
  return wanted_;
}

void ModelSlot::add_replica(size_t place) {
  std::lock_guard lock(mutex_);
  make_replica(place);
}

size_t ModelSlot::staying() const {
  std::lock_guard lock(mutex_);
  return static_cast<size_t>(
      std::count_if(replicas_.begin(), replicas_.end(), [](const Place& one) { return !one.leaving; }));
}

void ModelSlot::retire_one() {
  std::lock_guard lock(mutex_);
  for (size_t i = replicas_.size(); i-- > 1;) {
    if (replicas_[i].leaving) continue;
    replicas_[i].leaving = true;
    replicas_[i].replica->leave();
    return;
  }
}

std::vector<std::unique_ptr<Replica>> ModelSlot::take_left() {
  std::lock_guard lock(mutex_);
  std::vector<std::unique_ptr<Replica>> out;
  for (Place& one : replicas_)
    if (one.leaving && one.replica->left()) out.push_back(std::move(one.replica));
  std::erase_if(replicas_, [](const Place& one) { return one.replica == nullptr; });
  return out;
}

}  // namespace holdfast::serve
