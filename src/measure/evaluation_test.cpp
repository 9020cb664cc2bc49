#include "measure/evaluation.h"

#include <gtest/gtest.h>

#include "measure/sample_source.h"

namespace holdfast::measure {
namespace {

std::vector<EvaluatedRow> rows_of(size_t count, double accuracy, uint64_t seed) {
  SampleSource source(seed);
  std::vector<EvaluatedRow> out(count);
  for (size_t i = 0; i < count; ++i) {
    const int truth = static_cast<int>(source.below(3));
    const bool right = source.unit() < accuracy;
    out[i] = {truth,
              right ? truth : (truth + 1) % 3,
              0.9,
              1.0 + static_cast<double>(i % 10),
              {{"kind", i % 4 == 0 ? "edge" : "normal"}}};
  }
  return out;
}

TEST(Evaluation, ACriterionThatHoldsPassesAndOneThatDoesNotFails) {
  const auto rows = rows_of(900, 0.88, 1);
  const Evaluation got = evaluate(rows, 3,
                                  {{.metric = "accuracy", .limit = 0.85, .margin = 0.04},
                                   {.metric = "macro_f1", .limit = 0.8},
                                   {.metric = "latency_p95_ms", .bound = Bound::at_most, .limit = 50},
                                   {.metric = "accuracy", .slice = "kind=edge", .limit = 0.97}});
  ASSERT_EQ(got.judgements.size(), 4U);
  EXPECT_EQ(got.judgements[0].verdict, Verdict::passed);
  EXPECT_EQ(got.judgements[1].verdict, Verdict::passed);
  EXPECT_EQ(got.judgements[2].verdict, Verdict::passed);
  EXPECT_EQ(got.judgements[3].verdict, Verdict::failed);
  EXPECT_EQ(got.verdict, Verdict::failed);
  ASSERT_EQ(got.slices.size(), 3U);
  EXPECT_EQ(got.slices[0].rows, 900U);
  EXPECT_EQ(got.slices[1].slice, "kind=edge");
  EXPECT_LT(got.slices[0].accuracy.low, got.slices[0].accuracy.estimate);
}

TEST(Evaluation, TooFewRowsWaitAndSayHowManyAreMissing) {
  const Evaluation got =
      evaluate(rows_of(100, 0.9, 2), 3, {{.metric = "accuracy", .limit = 0.8, .margin = 0.02}});
  EXPECT_EQ(got.verdict, Verdict::waiting);
  EXPECT_GT(got.judgements[0].rows_missing, 500U);
  EXPECT_EQ(got.judgements[0].reason,
            "waiting: needs " + std::to_string(got.judgements[0].rows_missing) + " more rows");
}

TEST(Evaluation, ASliceWithoutRowsWaitsAndNeverGuesses) {
  const Evaluation got =
      evaluate(rows_of(100, 1, 3), 3,
               {{.metric = "accuracy", .slice = "kind=sensitive", .limit = 0.5, .rows_min = 30}});
  EXPECT_EQ(got.judgements[0].verdict, Verdict::waiting);
  EXPECT_EQ(got.judgements[0].rows_missing, 30U);
  EXPECT_EQ(evaluate({}, 3, {{.metric = "accuracy", .limit = 0.5}}).verdict, Verdict::waiting);
}

TEST(Evaluation, PerfectButFewRowsDoNotLookCertain) {
  EXPECT_EQ(evaluate(rows_of(20, 1, 4), 3, {{.metric = "accuracy", .limit = 0.9, .margin = 0.03}}).verdict,
            Verdict::waiting);
}

TEST(Evaluation, AnUnknownMetricFailsWithItsName) {
  const Evaluation got = evaluate(rows_of(10, 1, 5), 3, {{.metric = "beauty"}});
  EXPECT_EQ(got.verdict, Verdict::failed);
  EXPECT_NE(got.judgements[0].reason.find("beauty"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::measure
