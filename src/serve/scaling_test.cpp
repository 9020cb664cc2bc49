#include "serve/scaling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>
#include <random>

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;

// A second of the clock between any two looks.
struct Watched {
  Scaler scaler{ScalingOptions{}};
  milliseconds now{0};
  size_t workers = 1;
  Replicas bounds{.least = 1, .most = 4};

  size_t look(double busy, milliseconds delay = milliseconds{0}, int seconds = 1) {
    for (int i = 0; i < seconds; ++i) {
      workers = scaler.wanted(now, {.queue_delay = delay, .busy = busy, .ready = workers, .starting = 0},
                              bounds, workers);
      now += milliseconds(1'000);
    }
    return workers;
  }
};

TEST(ScalerTest, OneMoreAtATimeWhileItIsBusyAndNeverMoreThanTheMost) {
  Watched it;
  EXPECT_EQ(it.look(0.9, milliseconds(0), 2), 1U) << "not yet two seconds";
  EXPECT_EQ(it.look(0.9), 2U);
  EXPECT_EQ(it.look(1.9, milliseconds(0), 3), 3U);
  EXPECT_EQ(it.look(2.9, milliseconds(0), 3), 4U);
  EXPECT_EQ(it.look(4.0, milliseconds(0), 60), 4U);
}

TEST(ScalerTest, WaitingTooLongIsReasonEnoughHoweverBusyTheyAre) {
  Watched it;
  EXPECT_EQ(it.look(0.1, milliseconds(501), 3), 2U);
  EXPECT_EQ(it.look(0.1, milliseconds(500), 10), 2U) << "not longer than may be";
}

TEST(ScalerTest, ABreakStartsTheDelayAnew) {
  Watched it;
  for (int i = 0; i < 20; ++i) {
    it.look(0.9, milliseconds(0), 2);
    EXPECT_EQ(it.look(0.6), 1U);
  }
}

TEST(ScalerTest, OneFewerWhenTheOthersCouldDoItForAMinute) {
  Watched it;
  it.workers = 3;
  EXPECT_EQ(it.look(1.0, milliseconds(0), 60), 3U);
  EXPECT_EQ(it.look(1.0), 2U);
  EXPECT_EQ(it.look(1.0, milliseconds(0), 600), 2U) << "one alone would be busy all the time";
  EXPECT_EQ(it.look(0.0, milliseconds(0), 600), 1U) << "never fewer than the least";
}

// The rule as it was: every look of the minute has to be below the mark.
bool old_rule_is_calm(std::deque<double>& looks, double busy, double mark) {
  looks.push_back(busy);
  if (looks.size() > 240) looks.pop_front();
  return looks.size() == 240 &&
         std::all_of(looks.begin(), looks.end(), [&](double one) { return one <= mark; });
}

// Four looks a second for half an hour at a load that two workers do in nine tenths of what they may be busy:
// a look sees anything between none and two.
TEST(ScalerTest, ALoadJustBelowTheMarkScalesDownAlthoughLooksAreAboveItNowAndThen) {
  Scaler scaler{ScalingOptions{}};
  const Replicas bounds{.least = 1, .most = 4};
  std::mt19937 random(8);
  std::deque<double> looks;
  milliseconds now{0};
  std::optional<milliseconds> fewer_at;
  bool old_rule_fewer = false;
  for (; now < milliseconds(1'800'000); now += milliseconds(250)) {
    const double busy =
        std::uniform_real_distribution<double>(0, 1.8)(random);  // 0.9 on average; the mark is 1.
    const size_t wanted =
        fewer_at
            ? 2
            : scaler.wanted(now, {.queue_delay = milliseconds{0}, .busy = busy, .ready = 3, .starting = 0},
                            bounds, 3);
    if (!fewer_at && wanted == 2) fewer_at = now;
    old_rule_fewer = old_rule_fewer || old_rule_is_calm(looks, busy, 1.0);
  }
  EXPECT_FALSE(old_rule_fewer);
  ASSERT_TRUE(fewer_at);
  EXPECT_GE(*fewer_at, milliseconds(60'000));
  EXPECT_LE(*fewer_at, milliseconds(63'000));
}

TEST(ScalerTest, ALoadJustAboveTheMarkKeepsThemAll) {
  Scaler scaler{ScalingOptions{}};
  std::mt19937 random(8);
  for (milliseconds now{0}; now < milliseconds(1'800'000); now += milliseconds(250)) {
    const double busy = std::uniform_real_distribution<double>(0, 2.4)(random);  // 1.2 on average.
    ASSERT_EQ(scaler.wanted(now, {.queue_delay = milliseconds{0}, .busy = busy, .ready = 3, .starting = 0},
                            {.least = 1, .most = 4}, 3),
              3U);
  }
}

TEST(ScalerTest, WhatHadToWaitStartsTheMinuteAnew) {
  Watched it;
  it.workers = 3;
  for (int i = 0; i < 20; ++i) {
    it.look(0.5, milliseconds(0), 55);
    EXPECT_EQ(it.look(0.5, milliseconds(600)), 3U);
  }
  EXPECT_EQ(it.look(0.5, milliseconds(0), 62), 2U);
}

TEST(ScalerTest, WorkersThatStartAreWaitedFor) {
  Watched it;
  for (int i = 0; i < 100; ++i) {
    const ReplicaLoad load{.queue_delay = milliseconds(90'000), .busy = 0, .ready = 0, .starting = 1};
    EXPECT_EQ(it.scaler.wanted(it.now += milliseconds(1'000), load, it.bounds, 1), 1U);
  }
}

TEST(ScalerTest, OtherBoundsHoldAtOnce) {
  Watched it;
  it.bounds = {.least = 3, .most = 4};
  EXPECT_EQ(it.look(0), 3U);
  it.bounds = {.least = 0, .most = 1};
  EXPECT_EQ(it.look(4.0), 1U);
}

}  // namespace
}  // namespace holdfast::serve
