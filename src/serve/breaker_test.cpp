#include "serve/breaker.h"

#include <gtest/gtest.h>

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;

class BreakersTest : public ::testing::Test {
 protected:
  void fail_often(int times) {
    for (int i = 0; i < times; ++i) {
      if (breakers.admits("a")) breakers.failed("a");
    }
  }
  ManualClock clock;
  std::unique_ptr<Metrics> metrics = make_metrics();
  Breakers breakers{{.failures_max = 3, .open_for = milliseconds(1'000), .open_for_max = milliseconds(3'000)},
                    clock,
                    *metrics};
};

TEST_F(BreakersTest, OpensAfterFailuresInARowOnly) {
  fail_often(2);
  breakers.succeeded("a");
  fail_often(2);
  EXPECT_EQ(breakers.state("a"), BreakerState::closed);
  fail_often(1);
  EXPECT_EQ(breakers.state("a"), BreakerState::open);
  EXPECT_FALSE(breakers.admits("a"));
  EXPECT_TRUE(breakers.admits("b"));
  EXPECT_NE(metrics->text().find("holdfast_serve_breakers{state=\"open\"} 1"), std::string::npos);
}

TEST_F(BreakersTest, OneTriesAgainAndAFailureKeepsItOpenForLonger) {
  fail_often(3);
  clock.advance(milliseconds(1'000));
  EXPECT_EQ(breakers.state("a"), BreakerState::half_open);
  EXPECT_TRUE(breakers.admits("a"));
  EXPECT_FALSE(breakers.admits("a")) << "one is enough";
  breakers.failed("a");
  clock.advance(milliseconds(1'999));
  EXPECT_EQ(breakers.state("a"), BreakerState::open);
  clock.advance(milliseconds(1));
  EXPECT_TRUE(breakers.admits("a"));
  breakers.failed("a");
  clock.advance(milliseconds(3'000));  // The longest.
  EXPECT_TRUE(breakers.admits("a"));
  breakers.succeeded("a");
  EXPECT_EQ(breakers.state("a"), BreakerState::closed);
  EXPECT_TRUE(breakers.admits("a"));
}

TEST_F(BreakersTest, WhatWasUnderWayWhenItOpenedChangesNothing) {
  for (int i = 0; i < 10; ++i) breakers.failed("a");
  clock.advance(milliseconds(1'000));
  EXPECT_EQ(breakers.state("a"), BreakerState::half_open);
}

}  // namespace
}  // namespace holdfast::serve
