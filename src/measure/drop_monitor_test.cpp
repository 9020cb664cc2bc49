#include "measure/drop_monitor.h"

#include <gtest/gtest.h>

#include "measure/sample_source.h"

namespace holdfast::measure {
namespace {

TEST(DropMonitor, SteadyRatesRaiseAtMostTheStatedShareOfAlarms) {
  size_t alarms = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    SampleSource source(seed);
    auto monitor = DropMonitor::against_rate(0.9, {.tolerance = 0, .false_alarm = 0.01});
    for (int i = 0; i < 2000; ++i) monitor.observe(source.unit() < 0.9 ? 1 : 0);
    alarms += monitor.alarmed() ? 1 : 0;
  }
  EXPECT_LE(alarms, 10U);  // 4 expected at most; beyond 10 has a chance below 0.3 %.
}

TEST(DropMonitor, EqualVersionsRaiseAtMostTheStatedShareOfAlarms) {
  size_t alarms = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    SampleSource source(seed);
    auto monitor = DropMonitor::against_control({.tolerance = 0, .false_alarm = 0.01});
    for (int i = 0; i < 4000; ++i) {
      const double value = source.unit() < 0.87 ? 1 : 0;
      source.below(20) == 0 ? monitor.observe_candidate(value) : monitor.observe_control(value);
    }
    alarms += monitor.alarmed() ? 1 : 0;
  }
  EXPECT_LE(alarms, 10U);
}

TEST(DropMonitor, ALargeDropIsSeenWithinAHundredObservations) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SampleSource source(seed);
    auto monitor = DropMonitor::against_rate(0.88, {.tolerance = 0.02, .false_alarm = 0.01});
    size_t seen = 0;
    while (!monitor.alarmed() && seen < 1000) {
      monitor.observe(source.unit() < 0.6 ? 1 : 0);
      ++seen;
    }
    EXPECT_LE(seen, 150U) << "seed " << seed;
    EXPECT_EQ(monitor.alarmed_at(), seen);
    EXPECT_LE(monitor.p(), 0.01);
  }
}

TEST(DropMonitor, ADropAgainstACanaryOfFivePercentIsSeen) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SampleSource source(seed);
    auto monitor = DropMonitor::against_control({.tolerance = 0.01, .false_alarm = 0.01});
    for (int i = 0; i < 4000; ++i) {
      if (source.below(20) == 0)
        monitor.observe_candidate(source.unit() < 0.6 ? 1 : 0);
      else
        monitor.observe_control(source.unit() < 0.88 ? 1 : 0);
    }
    EXPECT_TRUE(monitor.alarmed()) << "seed " << seed << " " << monitor.p();
  }
}

TEST(DropMonitor, ADropWithinTheToleranceIsNone) {
  SampleSource source(5);
  auto monitor = DropMonitor::against_rate(0.9, {.tolerance = 0.05, .false_alarm = 0.01});
  for (int i = 0; i < 20000; ++i) monitor.observe(source.unit() < 0.87 ? 1 : 0);
  EXPECT_FALSE(monitor.alarmed());
  EXPECT_NEAR(monitor.mean_drop(), 0.03, 0.01);
}

TEST(DropMonitor, StoredStateGoesOnAsIfNothingHappened) {
  SampleSource source(7);
  const DropMonitor::Options options{.tolerance = 0, .false_alarm = 0.01};
  auto whole = DropMonitor::against_control(options);
  auto first = DropMonitor::against_control(options);
  for (int i = 0; i < 200; ++i) {
    const double value = source.unit() < 0.7 ? 1 : 0;
    for (DropMonitor* one : {&whole, &first})
      i % 3 == 0 ? one->observe_candidate(value) : one->observe_control(value);
  }
  auto second = DropMonitor::against_control(options);
  second.restore(first.state());
  for (int i = 0; i < 200; ++i)
    for (DropMonitor* one : {&whole, &second}) one->observe_candidate(i % 4 == 0 ? 1 : 0);
  EXPECT_EQ(whole.p(), second.p());
  EXPECT_EQ(whole.alarmed_at(), second.alarmed_at());
}

}  // namespace
}  // namespace holdfast::measure
