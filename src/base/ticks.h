#pragma once

#include <atomic>
#include <chrono>

namespace holdfast {

// Time as stages are measured by: nanoseconds since some fixed moment, never back. Apart from Clock, whose
// milliseconds a test may move by days while a request runs. Safe from any thread.
class Ticks {
 public:
  virtual ~Ticks() = default;
  virtual std::chrono::nanoseconds now() const = 0;
};

class SystemTicks final : public Ticks {
 public:
  std::chrono::nanoseconds now() const override;
};

// For tests: moves when told to.
class ManualTicks final : public Ticks {
 public:
  std::chrono::nanoseconds now() const override { return now_.load(); }
  void advance(std::chrono::nanoseconds step) { now_ = now_.load() + step; }

 private:
  std::atomic<std::chrono::nanoseconds> now_{std::chrono::nanoseconds{}};
};

}  // namespace holdfast
