#include "govern/canary_evidence.h"

#include <gtest/gtest.h>

#include <random>

namespace holdfast::govern {
namespace {

// Labels one by one, looked at after each: whether it ever says worse.
bool ever_alarms(unsigned seed, double wrong_stable, double wrong_canary, int requests, int* at = nullptr) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> unit;
  SplitFigures figures;
  for (int i = 0; i < requests; ++i) {
    const bool canary = unit(random) < 0.05;
    const bool wrong = unit(random) < (canary ? wrong_canary : wrong_stable);
    (canary ? figures.canary : figures.stable) += 1;
    (canary ? figures.canary_wrong : figures.stable_wrong) += wrong ? 1 : 0;
    if (canary_evidence(figures, 0.05) >= 100) {
      if (at != nullptr) *at = i;
      return true;
    }
  }
  return false;
}

TEST(CanaryEvidence, AlarmsInAtMostOneOfAHundredRunsWhereBothSidesAreEqual) {
  int alarms = 0;
  for (unsigned seed = 1; seed <= 200; ++seed) alarms += ever_alarms(seed, 0.12, 0.12, 4000) ? 1 : 0;
  EXPECT_LE(alarms, 2) << "of 200 seeded runs of 4,000 requests, looked at after each";
}

TEST(CanaryEvidence, SeesALargeDropWithinFourThousandRequests) {
  int seen = 0;
  for (unsigned seed = 1; seed <= 100; ++seed) seen += ever_alarms(seed, 0.10, 0.30, 4000) ? 1 : 0;
  EXPECT_GE(seen, 99);
}

TEST(CanaryEvidence, LabelsOfOneSideAloneSayNothing) {
  EXPECT_LE(canary_evidence({.stable = 0, .stable_wrong = 0, .canary = 500, .canary_wrong = 250}, 0.05),
            1.0 + 1e-9);
  EXPECT_LE(canary_evidence({.stable = 500, .stable_wrong = 250, .canary = 0, .canary_wrong = 0}, 0.05),
            1.0 + 1e-9);
  EXPECT_EQ(canary_evidence({}, 0.05), 1.0);
}

}  // namespace
}  // namespace holdfast::govern
