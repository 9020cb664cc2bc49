#pragma once

#include <cstddef>
#include <span>

namespace holdfast::measure {

struct TestResult {
  double statistic = 0, p = 1;
};

// Kolmogorov and Smirnov's two-sided test as scipy.stats.ks_2samp: exact up to 10,000 values a side, beyond
// that by the limiting distribution with a correction for the size. Both samples hold something.
TestResult kolmogorov_smirnov(std::span<const double> left, std::span<const double> right);
// Pearson's test of observed counts against expected ones, as scipy.stats.chisquare; one category
// alone has p = 1, where scipy has none.
TestResult chi_square(std::span<const double> observed, std::span<const double> expected);
// Two-sided test that two shares are the same: hits of rows.
TestResult two_proportions(size_t left_hits, size_t left_rows, size_t right_hits, size_t right_rows);
// Earth mover's distance of two samples on a line, as scipy.stats.wasserstein_distance.
double wasserstein(std::span<const double> left, std::span<const double> right);
// Square root of the Jensen-Shannon divergence, natural logarithm; inputs are normalised to sum 1.
double jensen_shannon(std::span<const double> left, std::span<const double> right);

// P(X > x) for a chi-square variable.
double chi_square_above(double x, double degrees);

}  // namespace holdfast::measure
