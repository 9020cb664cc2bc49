#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::measure {

// Has a column changed? Methods, bins and thresholds are Evidently's (0.7.23, legacy stattests); the
// reference has at least one row, the current data too.
enum class DriftMethod : uint8_t { kolmogorov_smirnov, chi_square, z_test, wasserstein, jensen_shannon, psi };
std::string_view drift_method_name(DriftMethod method);

struct Drift {
  DriftMethod method = DriftMethod::psi;
  double score = 0;  // A p-value for the three tests, else a distance.
  double threshold = 0;
  bool drifted = false;
};

// Rows of each category.
using Categories = std::map<std::string, size_t>;

Drift numeric_drift(std::span<const double> reference, std::span<const double> current, DriftMethod method);
Drift category_drift(const Categories& reference, const Categories& current, DriftMethod method);
// The method Evidently would take: by rows (1,000) and by how many values the reference has.
Drift numeric_drift(std::span<const double> reference, std::span<const double> current);
Drift category_drift(const Categories& reference, const Categories& current);

// Population stability index of two rows of shares, zero shares filled in as Evidently fills them.
double psi(std::vector<double> reference, std::vector<double> current);

}  // namespace holdfast::measure
