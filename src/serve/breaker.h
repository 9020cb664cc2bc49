#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"

namespace holdfast::serve {

// closed: asked. open: failed too often in a row, and is left alone for a while. half_open: one request tries
// it again; the others go elsewhere.
enum class BreakerState : uint8_t { closed, open, half_open };

struct BreakerOptions {
  int failures_max = 5;                                               // In a row.
  std::chrono::milliseconds open_for{10'000}, open_for_max{120'000};  // Longer after each failed try.
  size_t kept_max = 4096;  // Of those that are not closed and sound.
};

// Circuit breakers by name, so that what does not answer is not asked by everybody in turn. Safe from any
// thread.
class Breakers {
 public:
  Breakers(BreakerOptions options, const Clock& clock, Metrics& metrics);

  // Whether it may be asked now. After a yes one of the two below must follow.
  bool admits(const std::string& name);
  void succeeded(const std::string& name);
  void failed(const std::string& name);
  BreakerState state(const std::string& name) const;

 private:
  struct Breaker {
    int failures = 0;
    std::chrono::milliseconds open_until{-1}, open_for{};
    std::chrono::milliseconds tried_at{-1};  // Of the one that tries; -1: nobody does.
  };
  BreakerState state_of(const Breaker& breaker) const;
  void show() const;

  const BreakerOptions options_;
  const Clock& clock_;
  Gauge &open_, &half_open_;
  Counter& opened_;
  mutable std::mutex mutex_;  // Guards breakers_.
  std::map<std::string, Breaker> breakers_;
};

}  // namespace holdfast::serve
