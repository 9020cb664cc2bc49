#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "base/result.h"

namespace holdfast {

// Milliseconds since 1970-01-01 UTC: what is stored and shown. int64 so that it can be a column.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// Time as the program sees it. Safe from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  // Since some fixed moment; never goes back. For deadlines and durations.
  virtual std::chrono::milliseconds now() const = 0;
  // What the wall says; may jump. For what is stored and shown.
  virtual WallTime wall() const = 0;
};

// The machine's clocks. The only place in the tree that asks them.
class SystemClock final : public Clock {
 public:
  std::chrono::milliseconds now() const override;
  WallTime wall() const override;
};

// For tests and simulation: time moves when told to.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{std::chrono::milliseconds{1'700'000'000'000}})
      : start_(start) {}
  std::chrono::milliseconds now() const override { return now_.load(); }
  WallTime wall() const override { return start_ + now_.load(); }
  void advance(std::chrono::milliseconds step) { now_ = now_.load() + step; }

 private:
  WallTime start_;
  std::atomic<std::chrono::milliseconds> now_{std::chrono::milliseconds{}};
};

// "2026-11-21T03:40:31.007Z", the one form in which times leave the program.
std::string format_time(WallTime time);
// Reads the same form; a fraction of 0 to 9 digits is accepted and cut to milliseconds.
Result<WallTime> parse_time(std::string_view text);

}  // namespace holdfast
