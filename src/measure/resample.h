#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace holdfast::measure {

struct Interval {
  double estimate = 0;  // The statistic of all rows.
  double low = 0, high = 0;
};

struct BootstrapOptions {
  size_t resamples = 1000;
  double confidence = 0.95;
  uint64_t seed = 0;
};

// A statistic of the rows with these indices; an index may stand several times.
using Statistic = std::function<double(std::span<const size_t> rows)>;

// Percentile bootstrap: the same seed gives the same interval on every machine. Nothing but NaN for no rows.
Interval bootstrap(size_t rows, const Statistic& statistic, const BootstrapOptions& options = {});
// Of a mean, without a function call a row.
Interval bootstrap_mean(std::span<const double> values, const BootstrapOptions& options = {});
// The value below which `share` of the values lie, between neighbours linearly (numpy's default).
double quantile(std::vector<double> values, double share);

}  // namespace holdfast::measure
