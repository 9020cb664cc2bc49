#include "measure/margin.h"

#include <gtest/gtest.h>

#include "measure/resample.h"
#include "measure/sample_source.h"

namespace holdfast::measure {
namespace {

TEST(Margin, TooFewRowsProveNothingEvenWithoutADifference) {
  EXPECT_FALSE(non_inferior({.rows = 50}, 0.02).holds);
  EXPECT_TRUE(non_inferior({.rows = 200}, 0.02).holds);
  EXPECT_FALSE(non_inferior({}, 0.02).holds);
}

TEST(Margin, AWorseCandidateIsRefusedAndABetterOneNot) {
  EXPECT_FALSE(non_inferior({.rows = 1000, .only_candidate = 20, .only_baseline = 80}, 0.02).holds);
  const auto better = non_inferior({.rows = 1000, .only_candidate = 60, .only_baseline = 30}, 0.02);
  EXPECT_TRUE(better.holds);
  EXPECT_NEAR(better.difference, 0.03, 1e-12);
  EXPECT_GT(better.low, 0.0);
  EXPECT_LT(better.low, 0.03);
}

TEST(Margin, TheLowerBoundIsWhereTheTestTurns) {
  const PairedCounts counts{.rows = 400, .only_candidate = 12, .only_baseline = 20};
  const double low = non_inferior(counts, 0.02).low;
  EXPECT_TRUE(non_inferior(counts, -low + 1e-6).holds);
  EXPECT_FALSE(non_inferior(counts, -low - 1e-6).holds);
}

// A candidate worse by exactly the margin passes at most alpha of the time.
TEST(Margin, TheStatedErrorHolds) {
  size_t passed = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    SampleSource source(seed);
    PairedCounts counts{.rows = 300};
    for (int i = 0; i < 300; ++i) {
      const double draw = source.unit();
      counts.only_candidate += draw < 0.06 ? 1 : 0;
      counts.only_baseline += draw >= 0.06 && draw < 0.15 ? 1 : 0;
    }
    passed += non_inferior(counts, 0.03).holds ? 1 : 0;
  }
  EXPECT_LE(passed, 135U);  // 100 expected; three standard deviations above.
}

TEST(Margin, PlannedRowsGiveThePlannedPower) {
  const size_t rows = rows_for_margin(0.03, 0.1);
  EXPECT_NEAR(detectable_difference(rows, 0.1), 0.03, 1e-3);
  size_t passed = 0;
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SampleSource source(seed);
    PairedCounts counts{.rows = rows};
    for (size_t i = 0; i < rows; ++i) {
      const double draw = source.unit();
      counts.only_candidate += draw < 0.05 ? 1 : 0;
      counts.only_baseline += draw >= 0.05 && draw < 0.1 ? 1 : 0;
    }
    passed += non_inferior(counts, 0.03).holds ? 1 : 0;
  }
  EXPECT_GE(passed, 360U);  // 400 expected.
  EXPECT_EQ(rows_for_half_width(0.5, 0.05), 385U);
}

TEST(Resample, TheSameSeedGivesTheSameIntervalAndItHoldsTheMean) {
  SampleSource source(3);
  std::vector<double> values;
  for (int i = 0; i < 400; ++i) values.push_back(source.unit() < 0.8 ? 1 : 0);
  const Interval one = bootstrap_mean(values, {.seed = 4}), same = bootstrap_mean(values, {.seed = 4});
  EXPECT_EQ(one.low, same.low);
  EXPECT_EQ(one.high, same.high);
  EXPECT_LT(one.low, one.estimate);
  EXPECT_GT(one.high, one.estimate);
  EXPECT_NEAR(one.high - one.low, 2 * 1.96 * 0.02, 0.01);
}

TEST(Resample, NothingHasNoInterval) {
  const Interval none = bootstrap_mean({});
  EXPECT_NE(none.estimate, none.estimate);
  EXPECT_EQ(quantile({3, 1, 2}, 0.5), 2);
}

}  // namespace
}  // namespace holdfast::measure
