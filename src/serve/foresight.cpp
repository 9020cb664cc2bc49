#include "serve/foresight.h"

#include <algorithm>

namespace holdfast::serve {
namespace {

constexpr double in_time_share = 0.98;
// What is soon over is no measure: a few milliseconds are always lost somewhere.
constexpr double foreseen_least = 0.01;
constexpr std::ptrdiff_t needed = 8;
constexpr std::chrono::milliseconds remembered{60'000};

}  // namespace

void Foresight::came(std::chrono::milliseconds now, std::chrono::nanoseconds foreseen,
                     std::chrono::nanoseconds took) {
  const auto seconds = [](std::chrono::nanoseconds time) {
    return std::chrono::duration<double>(time).count();
  };
  seen_[next_] = {
      .at = now,
      .ratio = std::clamp(seconds(took) / std::max(seconds(foreseen), foreseen_least), 0.0, factor_max)};
  next_ = (next_ + 1) % kept;
  count_ = std::min(count_ + 1, kept);
}

double Foresight::factor(std::chrono::milliseconds now) const {
  std::array<double, kept> ratios{};
  auto end = ratios.begin();
  for (size_t i = 0; i < count_; ++i)
    if (now - seen_[i].at <= remembered) *end++ = seen_[i].ratio;
  const auto count = end - ratios.begin();
  if (count < needed) return 1;
  const auto at = ratios.begin() + static_cast<std::ptrdiff_t>(in_time_share * static_cast<double>(count));
  std::nth_element(ratios.begin(), at, end);
  return std::max(*at, 1.0);
}

}  // namespace holdfast::serve
