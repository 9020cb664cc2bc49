#pragma once

#include <atomic>

#include "api/clock_control.h"
#include "base/clock.h"

namespace holdfast::app {

// Another clock, and what it was moved on by: for journeys that play hours in seconds (`serve
// --manual-clock`). Time goes on by itself and never back. Safe from any thread.
class MovedClock final : public Clock, public api::ClockControl {
 public:
  explicit MovedClock(const Clock& inner) : inner_(inner) {}
  std::chrono::milliseconds now() const override { return inner_.now() + moved_.load(); }
  WallTime wall() const override { return inner_.wall() + moved_.load(); }
  void advance(std::chrono::milliseconds step) override { moved_ = moved_.load() + step; }

 private:
  const Clock& inner_;
  std::atomic<std::chrono::milliseconds> moved_{std::chrono::milliseconds{}};
};

}  // namespace holdfast::app
