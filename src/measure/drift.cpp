#include "measure/drift.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/check.h"
#include "measure/two_sample.h"

namespace holdfast::measure {
namespace {

constexpr size_t small_rows_max = 1000;
constexpr size_t binned_from = 20;  // More different values than this are put into bins.

struct Shares {
  std::vector<double> reference, current;
};

bool is_test(DriftMethod method) {
  return method == DriftMethod::kolmogorov_smirnov || method == DriftMethod::chi_square ||
         method == DriftMethod::z_test;
}

Drift judged(DriftMethod method, double score) {
  const double threshold = is_test(method) ? 0.05 : 0.1;
  return {method, score, threshold, is_test(method) ? score < threshold : score >= threshold};
}

// A name for a number that no other number has and that comes in the order of numbers.
std::string name_of(double number) {
  constexpr uint64_t sign = uint64_t{1} << 63;
  const auto bits = std::bit_cast<uint64_t>(number == 0 ? 0.0 : number);  // Minus zero is zero.
  const uint64_t rising = (bits & sign) != 0 ? ~bits : bits | sign;
  std::string out(8, '\0');
  for (size_t i = 0; i < 8; ++i) out[i] = static_cast<char>(rising >> (56 - 8 * i) & 0xFF);
  return out;
}

Categories counted(std::span<const double> values) {
  Categories out;
  for (const double value : values) ++out[name_of(value)];
  return out;
}

size_t rows_of(const Categories& categories) {
  size_t rows = 0;
  for (const auto& [name, count] : categories) rows += count;
  return rows;
}

// The counts of both sides over all categories that either has.
Shares aligned(const Categories& reference, const Categories& current) {
  Categories all = reference;
  all.insert(current.begin(), current.end());
  Shares out;
  for (const auto& [name, count] : all) {
    const auto left = reference.find(name), right = current.find(name);
    out.reference.push_back(left == reference.end() ? 0 : static_cast<double>(left->second));
    out.current.push_back(right == current.end() ? 0 : static_cast<double>(right->second));
  }
  return out;
}

Shares shares(const Categories& reference, const Categories& current) {
  Shares out = aligned(reference, current);
  const auto m = static_cast<double>(rows_of(reference)), n = static_cast<double>(rows_of(current));
  for (double& value : out.reference) value /= m;
  for (double& value : out.current) value /= n;
  return out;
}

size_t different(std::span<const double> values) {
  std::vector<double> all(values.begin(), values.end());
  std::sort(all.begin(), all.end());
  return static_cast<size_t>(std::unique(all.begin(), all.end()) - all.begin());
}

std::vector<double> histogram(std::span<const double> values, const std::vector<double>& edges) {
  std::vector<double> out(edges.size() - 1);
  for (const double value : values) {
    const auto above = std::upper_bound(edges.begin(), edges.end(), value);
    const auto bin = static_cast<size_t>(above - edges.begin());
    out[std::min(std::max<size_t>(bin, 1), out.size()) - 1] += 1;  // The last bin has its upper edge too.
  }
  for (double& count : out) count /= static_cast<double>(values.size());
  return out;
}

// Bins of equal width over both samples, as many as Sturges' rule says (numpy.histogram_bin_edges).
Shares binned(std::span<const double> reference, std::span<const double> current) {
  if (different(reference) <= binned_from) return shares(counted(reference), counted(current));
  const auto [left_low, left_high] = std::minmax_element(reference.begin(), reference.end());
  const auto [right_low, right_high] = std::minmax_element(current.begin(), current.end());
  const double low = std::min(*left_low, *right_low), high = std::max(*left_high, *right_high);
  const double width = (high - low) / (std::log2(static_cast<double>(reference.size() + current.size())) + 1);
  const auto bins = static_cast<size_t>(std::ceil((high - low) / width));
  const double step = (high - low) / static_cast<double>(bins);
  std::vector<double> edges;
  for (size_t i = 0; i < bins; ++i) edges.push_back(low + static_cast<double>(i) * step);
  edges.push_back(high);
  return {histogram(reference, edges), histogram(current, edges)};
}

double deviation(std::span<const double> values) {
  double mean = 0, squares = 0;
  for (const double value : values) mean += value / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(values.size()));
}

void fill_zeros(std::vector<double>& values) {
  double least = 1;
  for (const double value : values)
    if (value != 0) least = std::min(least, value);
  for (double& value : values)
    if (value == 0) value = least <= 0.0001 ? least / 1e6 : 0.0001;
}

double chi_square_p(const Categories& reference, const Categories& current) {
  Shares counts = aligned(reference, current);
  const double scale = static_cast<double>(rows_of(current)) / static_cast<double>(rows_of(reference));
  for (double& value : counts.reference) value *= scale;
  return chi_square(counts.current, counts.reference).p;
}

double z_test_p(const Categories& reference, const Categories& current) {
  if (reference.size() == 1 && current.size() == 1 && reference.begin()->first == current.begin()->first)
    return 1;
  const std::string& key = std::min(reference.begin()->first, current.begin()->first);
  const auto others = [&](const Categories& one) {
    const auto found = one.find(key);
    return rows_of(one) - (found == one.end() ? 0 : found->second);
  };
  return two_proportions(others(reference), rows_of(reference), others(current), rows_of(current)).p;
}

}  // namespace

std::string_view drift_method_name(DriftMethod method) {
  switch (method) {
    case DriftMethod::kolmogorov_smirnov:
      return "ks";
    case DriftMethod::chi_square:
      return "chisquare";
    case DriftMethod::z_test:
      return "z";
    case DriftMethod::wasserstein:
      return "wasserstein";
    case DriftMethod::jensen_shannon:
      return "jensenshannon";
    case DriftMethod::psi:
      return "psi";
  }
  return "psi";
}

double psi(std::vector<double> reference, std::vector<double> current) {
  CHECK(reference.size() == current.size());
  fill_zeros(reference);
  fill_zeros(current);
  double sum = 0;
  for (size_t i = 0; i < reference.size(); ++i)
    sum += (reference[i] - current[i]) * std::log(reference[i] / current[i]);
  return sum;
}

Drift numeric_drift(std::span<const double> reference, std::span<const double> current, DriftMethod method) {
  CHECK(!reference.empty() && !current.empty());
  switch (method) {
    case DriftMethod::kolmogorov_smirnov:
      return judged(method, kolmogorov_smirnov(reference, current).p);
    case DriftMethod::chi_square:
      return judged(method, chi_square_p(counted(reference), counted(current)));
    case DriftMethod::z_test:
      return judged(method, z_test_p(counted(reference), counted(current)));
    case DriftMethod::wasserstein:
      return judged(method, wasserstein(reference, current) / std::max(deviation(reference), 0.001));
    case DriftMethod::jensen_shannon: {
      const Shares both = binned(reference, current);
      return judged(method, jensen_shannon(both.reference, both.current));
    }
    case DriftMethod::psi: {
      Shares both = binned(reference, current);
      return judged(method, psi(std::move(both.reference), std::move(both.current)));
    }
  }
  return {};
}

Drift category_drift(const Categories& reference, const Categories& current, DriftMethod method) {
  CHECK(!reference.empty() && !current.empty());
  CHECK(method != DriftMethod::kolmogorov_smirnov && method != DriftMethod::wasserstein);
  if (method == DriftMethod::chi_square) return judged(method, chi_square_p(reference, current));
  if (method == DriftMethod::z_test) return judged(method, z_test_p(reference, current));
  Shares both = shares(reference, current);
  return judged(method, method == DriftMethod::psi ? psi(std::move(both.reference), std::move(both.current))
                                                   : jensen_shannon(both.reference, both.current));
}

Drift numeric_drift(std::span<const double> reference, std::span<const double> current) {
  const size_t values = different(reference);
  if (reference.size() > small_rows_max)
    return numeric_drift(reference, current,
                         values > 5 ? DriftMethod::wasserstein : DriftMethod::jensen_shannon);
  if (values > 5) return numeric_drift(reference, current, DriftMethod::kolmogorov_smirnov);
  return numeric_drift(reference, current, values > 2 ? DriftMethod::chi_square : DriftMethod::z_test);
}

Drift category_drift(const Categories& reference, const Categories& current) {
  if (rows_of(reference) > small_rows_max)
    return category_drift(reference, current, DriftMethod::jensen_shannon);
  return category_drift(reference, current,
                        reference.size() > 2 ? DriftMethod::chi_square : DriftMethod::z_test);
}

}  // namespace holdfast::measure
