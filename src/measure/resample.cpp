#include "measure/resample.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/check.h"
#include "measure/sample_source.h"

namespace holdfast::measure {
namespace {

Interval interval_of(double estimate, std::vector<double> resampled, double confidence) {
  const double tail = (1 - confidence) / 2;
  std::sort(resampled.begin(), resampled.end());
  return {estimate, quantile(resampled, tail), quantile(resampled, 1 - tail)};
}

}  // namespace

double quantile(std::vector<double> values, double share) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (!std::is_sorted(values.begin(), values.end())) std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below =
      static_cast<size_t>(std::clamp(std::floor(place), 0.0, static_cast<double>(values.size() - 1)));
  const size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (values[above] - values[below]) * (place - static_cast<double>(below));
}

Interval bootstrap(size_t rows, const Statistic& statistic, const BootstrapOptions& options) {
  CHECK(options.confidence > 0 && options.confidence < 1);
  std::vector<size_t> indexes(rows);
  std::iota(indexes.begin(), indexes.end(), size_t{0});
  if (rows == 0) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    return {none, none, none};
  }
  const double estimate = statistic(indexes);
  SampleSource source(options.seed);
  std::vector<double> resampled(options.resamples);
  for (double& value : resampled) {
    for (size_t& index : indexes) index = static_cast<size_t>(source.below(rows));
    value = statistic(indexes);
  }
  return interval_of(estimate, std::move(resampled), options.confidence);
}

Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options) {
  return bootstrap(
      values.size(),
      [&](std::span<const size_t> rows) {
        double sum = 0;
        for (const size_t row : rows) sum += values[row];
        return sum / static_cast<double>(rows.size());
      },
      options);
}

}  // namespace holdfast::measure
