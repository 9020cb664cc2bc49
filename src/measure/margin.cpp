#include "measure/margin.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace holdfast::measure {
namespace {

// Tango's z for H0: candidate - baseline = difference.
double tango_z(const PairedCounts& counts, double difference) {
  const auto rows = static_cast<double>(counts.rows);
  const auto gained = static_cast<double>(counts.only_candidate),
             lost = static_cast<double>(counts.only_baseline);
  const double a = 2 * rows;
  const double b = -gained - lost + (2 * rows - gained + lost) * difference;
  const double c = -lost * difference * (1 - difference);
  const double q = (std::sqrt(std::max(0.0, b * b - 4 * a * c)) - b) / (2 * a);
  const double variance = rows * (2 * q + difference * (1 - difference));
  const double distance = gained - lost - rows * difference;
  if (variance <= 0) return distance == 0 ? 0 : std::copysign(INFINITY, distance);
  return distance / std::sqrt(variance);
}

// The difference at which the test is just not significant, by bisection: z falls as the difference grows.
double lower_bound(const PairedCounts& counts, double critical) {
  double low = -1,
         high = (static_cast<double>(counts.only_candidate) - static_cast<double>(counts.only_baseline)) /
                static_cast<double>(counts.rows);
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (tango_z(counts, middle) > critical ? low : high) = middle;
  }
  return (low + high) / 2;
}

double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

}  // namespace

PairedCounts paired_counts(std::span<const int> candidate_correct, std::span<const int> baseline_correct) {
  CHECK(candidate_correct.size() == baseline_correct.size());
  PairedCounts out;
  out.rows = candidate_correct.size();
  for (size_t i = 0; i < out.rows; ++i) {
    const bool candidate = candidate_correct[i] != 0, baseline = baseline_correct[i] != 0;
    out.only_candidate += candidate && !baseline ? 1 : 0;
    out.only_baseline += baseline && !candidate ? 1 : 0;
  }
  return out;
}

NonInferiority non_inferior(const PairedCounts& counts, double margin, double alpha) {
  CHECK(margin > 0 && margin < 1 && alpha > 0 && alpha < 1);
  NonInferiority out;
  if (counts.rows == 0) {
    out.low = -1;
    return out;
  }
  out.difference = (static_cast<double>(counts.only_candidate) - static_cast<double>(counts.only_baseline)) /
                   static_cast<double>(counts.rows);
  out.p = 1 - normal_cdf(tango_z(counts, -margin));
  out.low = lower_bound(counts, normal_quantile(1 - alpha));
  out.holds = out.p < alpha;
  return out;
}

double mcnemar_p(const PairedCounts& counts) {
  const auto gained = static_cast<double>(counts.only_candidate),
             lost = static_cast<double>(counts.only_baseline);
  const double total = gained + lost;
  if (total == 0) return 1;
  if (total < 25) {
    double tail = 0;
    for (double k = 0; k <= std::min(gained, lost); ++k)
      tail += std::exp(log_choose(total, k) - total * std::log(2.0));
    return std::min(1.0, 2 * tail);
  }
  const double distance = std::max(0.0, std::fabs(gained - lost) - 1);
  return std::erfc(std::sqrt(distance * distance / total / 2));
}

size_t rows_for_margin(double margin, double discordant, const Planning& planning) {
  CHECK(margin > 0);
  const double z = normal_quantile(1 - planning.alpha) + normal_quantile(planning.power);
  // Even without differences the score test needs this many rows.
  const double least = std::pow(normal_quantile(1 - planning.alpha), 2) * (1 - margin) / margin;
  return static_cast<size_t>(std::ceil(std::max(least, z * z * discordant / (margin * margin))));
}

double detectable_difference(size_t rows, double discordant, const Planning& planning) {
  if (rows == 0) return 1;
  const double z = normal_quantile(1 - planning.alpha) + normal_quantile(planning.power);
  return std::min(1.0, z * std::sqrt(discordant / static_cast<double>(rows)));
}

size_t rows_for_half_width(double rate, double half_width, double confidence) {
  CHECK(half_width > 0 && confidence > 0 && confidence < 1);
  const double z = normal_quantile((1 + confidence) / 2);
  return static_cast<size_t>(std::ceil(z * z * rate * (1 - rate) / (half_width * half_width)));
}

double normal_cdf(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

// Bisection on the distribution, then Newton's steps: as exact as erfc.
double normal_quantile(double share) {
  CHECK(share > 0 && share < 1);
  double low = -40, high = 40;
  for (int i = 0; i < 200 && high - low > 1e-15 * std::max(1.0, std::fabs(low)); ++i) {
    const double middle = (low + high) / 2;
    (normal_cdf(middle) < share ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace holdfast::measure
