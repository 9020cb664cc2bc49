#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>

#include "base/ticks.h"

namespace holdfast::model {

// Where a call's time went and what it was made of. Filled by the call that is handed one; one owner.
struct StageTimes {
  explicit StageTimes(const Ticks& measured_by) : ticks(measured_by) {}

  const Ticks& ticks;
  std::chrono::nanoseconds tokenize{}, model{};
  uint64_t tokens = 0, unknown_tokens = 0;

  void count(std::span<const uint32_t> ids, std::optional<uint32_t> unknown) {
    tokens += ids.size();
    if (!unknown) return;
    for (const uint32_t id : ids) unknown_tokens += id == *unknown ? 1 : 0;
  }
};

// Adds the time of its own life to one stage. `times` may be null: nobody asks.
class StageTimer {
 public:
  StageTimer(StageTimes* times, std::chrono::nanoseconds StageTimes::* stage) : times_(times), stage_(stage) {
    if (times_ != nullptr) began_ = times_->ticks.now();
  }
  StageTimer(const StageTimer&) = delete;
  ~StageTimer() {
    if (times_ != nullptr) times_->*stage_ += times_->ticks.now() - began_;
  }

 private:
  StageTimes* times_;
  std::chrono::nanoseconds StageTimes::* stage_;
  std::chrono::nanoseconds began_{};
};

}  // namespace holdfast::model
