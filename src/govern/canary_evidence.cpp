#include "govern/canary_evidence.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace holdfast::govern {
namespace {

constexpr std::array multiples = {1.25, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0};
constexpr double exponent_max = 600;  // Below what a double holds.

double right_share(int64_t all, int64_t wrong) {
  return all == 0 ? 0 : 1 - static_cast<double>(wrong) / static_cast<double>(all);
}

}  // namespace

double SplitFigures::stable_share() const { return right_share(stable, stable_wrong); }
double SplitFigures::canary_share() const { return right_share(canary, canary_wrong); }

double canary_evidence(const SplitFigures& figures, double traffic_share) {
  const auto labels = static_cast<double>(figures.stable + figures.canary);
  if (labels == 0) return 1;
  const double share = std::max(traffic_share, static_cast<double>(figures.canary) / labels);
  const auto wrong = static_cast<double>(figures.stable_wrong + figures.canary_wrong);
  double sum = 0;
  for (const double m : multiples) {
    const double exponent =
        static_cast<double>(figures.canary_wrong) * std::log(m) - wrong * std::log1p((m - 1) * share);
    sum += std::exp(std::min(exponent, exponent_max));
  }
  return sum / static_cast<double>(multiples.size());
}

}  // namespace holdfast::govern
