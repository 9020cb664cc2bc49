#pragma once

#include <chrono>
#include <optional>

namespace holdfast::serve {

// How much cost a model gets done in a second, over the last few dozen measures. Not safe from several
// threads.
class Speed {
 public:
  void measured(double cost, std::chrono::nanoseconds took) {
    cost_ = keep * cost_ + cost;
    seconds_ = keep * seconds_ + std::chrono::duration<double>(took).count();
  }
  // None before enough was measured: of a few tokens nearly all of the time is what any request takes, which
  // says nothing of a large one.
  std::optional<std::chrono::milliseconds> time_of(double cost) const {
    if (!(cost_ >= cost_min) || !(seconds_ > 0)) return std::nullopt;
    constexpr double most = 1e9;  // Milliseconds.
    const double milliseconds = cost * seconds_ / cost_ * 1e3;
    return std::chrono::milliseconds(static_cast<int64_t>(milliseconds < most ? milliseconds : most));
  }

 private:
  static constexpr double keep = 0.95, cost_min = 64;
  double cost_ = 0, seconds_ = 0;
};

}  // namespace holdfast::serve
