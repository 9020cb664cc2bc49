#pragma once

#include <cstddef>
#include <span>

namespace holdfast::measure {

// Two versions asked the same rows: how often only one of them was right.
struct PairedCounts {
  size_t rows = 0;
  size_t only_candidate = 0;  // The candidate was right, the baseline wrong.
  size_t only_baseline = 0;
};
PairedCounts paired_counts(std::span<const int> candidate_correct, std::span<const int> baseline_correct);

// Is the candidate at most `margin` worse than the baseline? Tango's score test for paired proportions
// (Statistics in Medicine 17, 1998), which also holds with few or no differences; H0: candidate <= baseline -
// margin.
struct NonInferiority {
  double difference = 0;  // Candidate's rate minus the baseline's.
  double low = 0;         // One-sided lower bound of it at level 1 - alpha.
  double p = 1;
  bool holds = false;
};
NonInferiority non_inferior(const PairedCounts& counts, double margin, double alpha = 0.05);

// Were the two versions equally good? McNemar's test: exact binomial below 25 differences, else chi-square
// with continuity correction.
double mcnemar_p(const PairedCounts& counts);

struct Planning {
  double alpha = 0.05;  // One-sided.
  double power = 0.8;
};
// Rows needed so that a candidate truly as good is found non-inferior with this power, when `discordant` of
// the rows are answered rightly by one version alone (2 p (1 - p) is a safe guess for versions of accuracy
// p).
size_t rows_for_margin(double margin, double discordant, const Planning& planning = {});
// The smallest drop that so many rows show with this power.
double detectable_difference(size_t rows, double discordant, const Planning& planning = {});
// Rows needed so that the two-sided interval of a rate near `rate` reaches `half_width` to each side.
size_t rows_for_half_width(double rate, double half_width, double confidence = 0.95);

double normal_cdf(double z);
double normal_quantile(double share);

}  // namespace holdfast::measure
