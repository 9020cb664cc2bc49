#include "cli/step_clock.h"

#include <algorithm>
#include <ctime>
#include <utility>

namespace holdfast::cli {
namespace {

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

void StepClock::begin() {
  for (Seen& one : seen_) one.now = one.step.operations = 0;
  operations_ = 0;
  weights_.clear();
  last_ = processor_seconds();
}

void StepClock::end() {
  if (operations_ > 0) ended(no_layer, "rest");
  for (Seen& one : seen_) one.calls.push_back(one.now);
}

void StepClock::worked(double operations, const void* weights, size_t bytes) {
  operations_ += operations;
  if (weights != nullptr) weights_[weights] = bytes;
}

void StepClock::ended(size_t layer, std::string_view step) {
  const double now = processor_seconds();
  auto at = std::find_if(seen_.begin(), seen_.end(), [&](const Seen& one) {
    return one.step.part == part_ && one.step.layer == layer && one.step.step == step;
  });
  if (at == seen_.end()) {
    Seen one;
    one.step.part = part_;
    one.step.layer = layer;
    one.step.step = step;
    at = seen_.insert(seen_.end(), std::move(one));
  }
  at->now += now - last_;
  at->step.operations += operations_;
  at->weights.merge(weights_);
  operations_ = 0;
  weights_.clear();
  last_ = processor_seconds();
}

std::string_view StepClock::enter(std::string_view part) { return std::exchange(part_, part); }

std::vector<StepTime> StepClock::medians() const {
  std::vector<StepTime> out;
  for (const Seen& one : seen_) {
    StepTime step = one.step;
    std::vector<double> calls = one.calls;
    std::sort(calls.begin(), calls.end());
    if (!calls.empty()) step.seconds = calls[calls.size() / 2];
    for (const auto& [weights, bytes] : one.weights) step.weight_bytes += bytes;
    out.push_back(step);
  }
  return out;
}

}  // namespace holdfast::cli
