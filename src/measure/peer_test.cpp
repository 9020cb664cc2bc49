// Figures that are too few for a golden file, as scipy 1.x and scikit-learn gave them: recall and precision
// of a ranking, and the ends of bootstrap intervals, which two generators agree on within the error of
// resampling.
#include <gtest/gtest.h>

#include <cmath>

#include "measure/drift.h"
#include "measure/ranking.h"
#include "measure/resample.h"
#include "measure/rouge.h"

namespace holdfast::measure {
namespace {

TEST(Peers, RankingsAreJudgedAsScikitLearnJudgesThem) {
  const int ranked[] = {1, 0, 1, 1, 0, 0, 1, 0, 0, 1};
  struct Case {
    size_t k;
    double recall, precision;
  };
  for (const Case& one : {Case{1, 0.2, 1.0}, Case{3, 0.4, 2.0 / 3}, Case{5, 0.6, 0.6}, Case{10, 1.0, 0.5}}) {
    EXPECT_NEAR(recall_at(ranked, 5, one.k), one.recall, 1e-12) << one.k;
    EXPECT_NEAR(precision_at(ranked, one.k), one.precision, 1e-12) << one.k;
  }
  EXPECT_NEAR(average_precision(ranked, 5), 0.6976190476190476, 1e-12);
  const int third[] = {0, 0, 1, 0};
  EXPECT_NEAR(reciprocal_rank(third), 1.0 / 3, 1e-12);
}

// Evidently's answers.
TEST(Peers, SmallNumbersAreDifferentOnesAndMinusZeroIsZero) {
  const std::vector<double> a = {1e-7, 1e-7, 1e-7, 1e-7, 1e-7, 1e-7, 2e-7, 2e-7, 2e-7, 3e-7};
  const std::vector<double> b = {1e-7, 1e-7, 2e-7, 2e-7, 2e-7, 2e-7, 2e-7, 9e-7, 9e-7};
  EXPECT_NEAR(numeric_drift(a, b, DriftMethod::psi).score, 2.9345152482183026, 1e-9);
  EXPECT_NEAR(numeric_drift(a, b, DriftMethod::jensen_shannon).score, 0.4196638056562708, 1e-9);
  const std::vector<double> zero = {0.0, 1.0, 2.0, 0.0}, minus = {-0.0, 1.0, -0.0, 3.0, -0.0};
  EXPECT_NEAR(numeric_drift(zero, minus, DriftMethod::psi).score, 3.5040388330205556, 1e-9);
  EXPECT_NEAR(numeric_drift(zero, minus, DriftMethod::jensen_shannon).score, 0.399531906940341, 1e-9);
}

TEST(Peers, TheZTestCountsTheSmallestNumberNotTheFirstInTheAlphabet) {
  const std::vector<double> a = {-3.5, -3.5, -3.5, -3.5, -10.0, -10.0}, b = {-3.5, -0.5, -10.0, 2.0, -3.5};
  EXPECT_NEAR(numeric_drift(a, b, DriftMethod::z_test).score, 0.6210143706612845, 1e-9);
}

TEST(Peers, RougeReadsTheTwoLettersWhoseSmallFormsAreAscii) {
  const Rouge city = rouge_n("\u0130zmir at 273\u212A", "izmir zmir 273k", 1);
  EXPECT_NEAR(city.precision, 2.0 / 3, 1e-12);
  EXPECT_NEAR(city.recall, 0.5, 1e-12);
  EXPECT_NEAR(rouge_l("\u0130 i", "i").f1, 2.0 / 3, 1e-12);
}

TEST(Peers, BootstrapIntervalsEndWhereScipysDo) {
  const std::vector<double> values = {3.1, 0.4, 2.2, 9.7, 1.5, 4.4, 0.9, 6.3, 2.8,  5.1,
                                      7.7, 0.2, 3.6, 1.1, 8.4, 2.0, 4.9, 0.7, 12.5, 3.3};
  const auto median = [&](std::span<const size_t> rows) {
    std::vector<double> picked;
    for (const size_t row : rows) picked.push_back(values[row]);
    return quantile(std::move(picked), 0.5);
  };
  struct Case {
    double confidence;
    Interval mean, median;  // scipy.stats.bootstrap(method="percentile") of 200,000 resamples.
  };
  const Case cases[] = {{0.95, {4.04, 2.68, 5.555}, {3.2, 1.75, 5.0}},
                        {0.8, {4.04, 3.11, 5.0}, {3.2, 2.2, 4.4}}};
  for (const Case& one : cases) {
    const BootstrapOptions options = {.resamples = 10'000, .confidence = one.confidence, .seed = 11};
    const Interval mean = bootstrap_mean(values, options);
    EXPECT_NEAR(mean.estimate, one.mean.estimate, 1e-12);
    EXPECT_NEAR(mean.low, one.mean.low, 0.1);
    EXPECT_NEAR(mean.high, one.mean.high, 0.1);
    const Interval middle = bootstrap(values.size(), median, options);
    EXPECT_NEAR(middle.estimate, one.median.estimate, 1e-12);
    EXPECT_NEAR(middle.low, one.median.low, 0.11);
    EXPECT_NEAR(middle.high, one.median.high, 0.21);
  }
}

}  // namespace
}  // namespace holdfast::measure
