#include "serve/scaling.h"

#include <gtest/gtest.h>

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
