#include "measure/two_sample.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "measure/margin.h"

namespace holdfast::measure {
namespace {

constexpr size_t exact_rows_max = 10'000;

std::vector<double> sorted(std::span<const double> values) {
  std::vector<double> out(values.begin(), values.end());
  std::sort(out.begin(), out.end());
  return out;
}

// The chance that a random path from (0, 0) to (m, n) leaves |x/m - y/n| < h / lcm(m, n), column by column.
double path_leaves(size_t m, size_t n, size_t h) {
  if (m < n) std::swap(m, n);
  const size_t common = std::gcd(m, n);
  const auto step_m = static_cast<int64_t>(m / common), step_n = static_cast<int64_t>(n / common);
  const auto limit = static_cast<int64_t>(h);
  std::vector<double> column(n + 1);
  for (size_t i = 0; i <= m; ++i)
    for (size_t j = 0; j <= n; ++j) {
      const int64_t distance = static_cast<int64_t>(i) * step_n - static_cast<int64_t>(j) * step_m;
      if (distance >= limit || -distance >= limit) {
        column[j] = 1;
      } else if (i + j > 0) {
        const double from_left = i > 0 ? column[j] : 0, from_below = j > 0 ? column[j - 1] : 0;
        column[j] = (from_left * static_cast<double>(i) + from_below * static_cast<double>(j)) /
                    static_cast<double>(i + j);
      }
    }
  return column[n];
}

// P(D >= h / n) for two samples of n: an alternating sum in Horner's form, as scipy evaluates it.
double path_leaves_square(size_t n, size_t h) {
  double p = 0;
  for (size_t k = n / h + 1; k-- > 0;) {
    double factor = 1;
    for (size_t j = 0; j < h; ++j)
      factor = (static_cast<double>(n) - static_cast<double>(k * h) - static_cast<double>(j)) * factor /
               static_cast<double>(n + k * h + j + 1);
    p = factor * (1 - p);
  }
  return 2 * p;
}

// Kolmogorov's limiting distribution at a distance corrected for the size (Vrbik 2018).
double limiting_p(double distance, double size) {
  const double root = std::sqrt(size), z = root * distance;
  const double x = z + 1 / (6 * root) + (z - 1) / (4 * size);
  double sum = 0;
  for (int k = 1; k <= 200; ++k) {
    const double term = std::exp(-2 * k * k * x * x);
    sum += k % 2 == 1 ? term : -term;
    if (term < 1e-18) break;
  }
  return std::clamp(2 * sum, 0.0, 1.0);
}

// Upper regularised incomplete gamma function Q(a, x): a series below a + 1, Lentz's continued fraction
// above.
double gamma_above(double a, double x) {
  if (x <= 0) return 1;
  const double front = std::exp(-x + a * std::log(x) - std::lgamma(a));
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (int i = 1; i < 10'000 && term > sum * 1e-17; ++i) sum += term *= x / (a + i);
    return 1 - front * sum;
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, out = d;
  for (int i = 1; i < 10'000; ++i) {
    const double an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    out *= d * c;
    if (std::fabs(d * c - 1) < 1e-16) break;
  }
  return front * out;
}

double entropy_part(double p, double mean) { return p == 0 ? 0 : p * std::log(p / mean); }

}  // namespace

TestResult kolmogorov_smirnov(std::span<const double> left, std::span<const double> right) {
  CHECK(!left.empty() && !right.empty());
  const auto a = sorted(left), b = sorted(right);
  const size_t m = a.size(), n = b.size();
  double distance = 0;
  for (size_t i = 0, j = 0; i < m && j < n;) {
    const double value = std::min(a[i], b[j]);
    while (i < m && a[i] == value) ++i;
    while (j < n && b[j] == value) ++j;
    distance = std::max(distance, std::fabs(static_cast<double>(i) / static_cast<double>(m) -
                                            static_cast<double>(j) / static_cast<double>(n)));
  }
  if (std::max(m, n) > exact_rows_max) {
    const double size = static_cast<double>(m) * static_cast<double>(n) / static_cast<double>(m + n);
    return {distance, limiting_p(distance, std::round(size))};
  }
  const size_t multiple = m / std::gcd(m, n) * n;
  const auto h = static_cast<size_t>(std::llround(distance * static_cast<double>(multiple)));
  const double exact = static_cast<double>(h) / static_cast<double>(multiple);
  if (h == 0) return {exact, 1};
  return {exact, std::clamp(m == n ? path_leaves_square(m, h) : path_leaves(m, n, h), 0.0, 1.0)};
}

TestResult chi_square(std::span<const double> observed, std::span<const double> expected) {
  CHECK(observed.size() == expected.size());
  double sum = 0;
  for (size_t i = 0; i < observed.size(); ++i) {
    const double distance = observed[i] - expected[i];
    if (expected[i] == 0 && distance == 0) continue;
    sum += distance * distance / expected[i];  // Something where nothing was expected is infinitely unlikely.
  }
  return {sum, chi_square_above(sum, static_cast<double>(observed.size()) - 1)};
}

TestResult two_proportions(size_t left_hits, size_t left_rows, size_t right_hits, size_t right_rows) {
  if (left_rows == 0 || right_rows == 0) return {};
  const auto m = static_cast<double>(left_rows), n = static_cast<double>(right_rows);
  const double pooled = static_cast<double>(left_hits + right_hits) / (m + n);
  const double spread = std::sqrt(pooled * (1 - pooled) * (1 / m + 1 / n));
  if (spread == 0) return {};
  const double z = (static_cast<double>(left_hits) / m - static_cast<double>(right_hits) / n) / spread;
  return {z, 2 * (1 - normal_cdf(std::fabs(z)))};
}

double wasserstein(std::span<const double> left, std::span<const double> right) {
  CHECK(!left.empty() && !right.empty());
  const auto a = sorted(left), b = sorted(right);
  std::vector<double> all(a);
  all.insert(all.end(), b.begin(), b.end());
  std::sort(all.begin(), all.end());
  double sum = 0;
  size_t i = 0, j = 0;
  for (size_t k = 0; k + 1 < all.size(); ++k) {
    while (i < a.size() && a[i] <= all[k]) ++i;
    while (j < b.size() && b[j] <= all[k]) ++j;
    sum += std::fabs(static_cast<double>(i) / static_cast<double>(a.size()) -
                     static_cast<double>(j) / static_cast<double>(b.size())) *
           (all[k + 1] - all[k]);
  }
  return sum;
}

double jensen_shannon(std::span<const double> left, std::span<const double> right) {
  CHECK(left.size() == right.size());
  const double left_sum = std::accumulate(left.begin(), left.end(), 0.0);
  const double right_sum = std::accumulate(right.begin(), right.end(), 0.0);
  if (left_sum == 0 || right_sum == 0) return std::numeric_limits<double>::quiet_NaN();
  double divergence = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    const double p = left[i] / left_sum, q = right[i] / right_sum, mean = (p + q) / 2;
    divergence += entropy_part(p, mean) + entropy_part(q, mean);
  }
  return std::sqrt(std::max(0.0, divergence / 2));
}

double chi_square_above(double x, double degrees) {
  if (degrees <= 0) return 1;
  if (std::isinf(x)) return 0;
  return gamma_above(degrees / 2, x / 2);
}

}  // namespace holdfast::measure
