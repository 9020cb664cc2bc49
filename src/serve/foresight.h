#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace holdfast::serve {

// How far what was foreseen of late was from what came, whatever the reason: others on the worker's cores,
// what goes by between batches, a queue that grew meanwhile. Not safe from several threads.
class Foresight {
 public:
  // An answer, or a deadline that passed without one; `now` on the Clock.
  void came(std::chrono::milliseconds now, std::chrono::nanoseconds foreseen, std::chrono::nanoseconds took);
  // How many times as long as foreseen it may take, so that 49 of 50 of the last minute would have kept it; 1
  // at least.
  double factor(std::chrono::milliseconds now) const;

  static constexpr double factor_max = 32;

 private:
  static constexpr size_t kept = 256;
  struct Seen {
    std::chrono::milliseconds at{};
    double ratio = 0;
  };

  std::array<Seen, kept> seen_{};
  size_t next_ = 0, count_ = 0;
};

}  // namespace holdfast::serve
