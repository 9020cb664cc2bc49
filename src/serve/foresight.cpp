#include "serve/foresight.h"

#include <algorithm>

namespace holdfast::serve {
namespace {

constexpr double in_time_share = 0.98;
// What is soon over is no measure: a few milliseconds are always lost somewhere.
constexpr double foreseen_least = 0.01;
constexpr size_t needed = 8;

}  // namespace

void Foresight::came(std::chrono::nanoseconds foreseen, std::chrono::nanoseconds took) {
  const auto seconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
  };
  ratios_[next_] = std::clamp(seconds(took) / std::max(seconds(foreseen), foreseen_least), 0.0, factor_max);
  next_ = (next_ + 1) % kept;
  count_ = std::min(count_ + 1, kept);
  if (count_ < needed) return;
  std::array<double, kept> sorted = ratios_;
  const auto end = sorted.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(in_time_share * static_cast<double>(count_));
  std::nth_element(sorted.begin(), at, end);
  factor_ = std::max(*at, 1.0);
}

}  // namespace holdfast::serve
