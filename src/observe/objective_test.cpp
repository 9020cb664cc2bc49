#include "observe/objective.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace holdfast::observe {
namespace {

using std::chrono::minutes;
using Kind = BudgetBook::Kind;

struct ObjectiveTest : ::testing::Test {
  ManualClock clock;
  BudgetBook book;
  Promise promise{.availability = 0.99};

  void minute(int good, int late, int bad) {
    for (int i = 0; i < good; ++i) book.count(clock.now(), Kind::good);
    for (int i = 0; i < late; ++i) book.count(clock.now(), Kind::late);
    for (int i = 0; i < bad; ++i) book.count(clock.now(), Kind::bad);
    clock.advance(minutes(1));
  }
  IndicatorFigures now(Indicator indicator = Indicator::availability) {
    return book.figures(indicator, promise, clock.now() - std::chrono::milliseconds(1));
  }
  static double burn(const IndicatorFigures& figures, size_t window) {
    return figures.by_window[window].burn;
  }
  static bool fires(const IndicatorFigures& figures, Alarm alarm) {
    return figures.alarms[static_cast<size_t>(alarm)];
  }
};

TEST_F(ObjectiveTest, AFixedSeriesBurnsAsComputedByHand) {
  for (int i = 0; i < 55; ++i) minute(100, 0, 0);
  for (int i = 0; i < 5; ++i) minute(50, 10, 40);
  const auto availability = now();
  // Of 5,500 + 500 requests 200 were bad: 1/30 of all, over a budget of 1/100.
  EXPECT_NEAR(burn(availability, 2), 200.0 / 6000 / 0.01, 1e-9) << "1h";
  EXPECT_NEAR(burn(availability, 0), 0.4 / 0.01, 1e-9) << "5m";
  EXPECT_NEAR(availability.budget_left, 1 - 200.0 / 6000 / 0.01, 1e-9);
  const auto latency = now(Indicator::latency);
  EXPECT_NEAR(burn(latency, 2), 50.0 / 5800 / 0.05, 1e-9) << "late ones among those that were answered";
  EXPECT_EQ(latency.by_window[2].valid, 5800);
}

TEST_F(ObjectiveTest, TheGateClosesAbove4TimesAndNotBelow) {
  for (const auto& [bad, closes] : {std::pair{41, true}, std::pair{39, false}}) {
    book = BudgetBook();
    for (int i = 0; i < 60; ++i) minute(1000 - bad, 0, bad);
    EXPECT_EQ(fires(now(), Alarm::gate), closes) << bad << " of 1,000 against 10";
    EXPECT_FALSE(fires(now(), Alarm::page));
    clock.advance(std::chrono::hours(24 * 40));
  }
}

TEST_F(ObjectiveTest, TheShortWindowLetsGoOnceItIsOver) {
  for (int i = 0; i < 30; ++i) minute(70, 0, 30);
  EXPECT_TRUE(fires(now(), Alarm::page));
  for (int i = 0; i < 6; ++i) minute(100, 0, 0);
  const auto after = now();
  EXPECT_GT(burn(after, 2), 14.4) << "the hour still holds it";
  EXPECT_FALSE(fires(after, Alarm::gate));
}

TEST_F(ObjectiveTest, OneFailureInAQuietNightWakesNobody) {
  minute(0, 0, 1);
  EXPECT_GT(burn(now(), 2), 14.4);
  EXPECT_FALSE(fires(now(), Alarm::page));
}

TEST_F(ObjectiveTest, WhatIsOlderThanAWindowIsNotInIt) {
  minute(0, 0, 100);
  clock.advance(minutes(360));
  minute(100, 0, 0);
  EXPECT_EQ(now().by_window[4].bad, 0) << "6h";
  EXPECT_EQ(now().by_window[5].bad, 100) << "1d";
  clock.advance(std::chrono::hours(24 * 31));
  minute(100, 0, 0);
  EXPECT_EQ(now().by_window[7].bad, 0) << "30d";
  EXPECT_EQ(now().budget_left, 1);
}

TEST_F(ObjectiveTest, WhatIsPutBackAddsToWhatWasCountedAndNothingOldOrFutureIs) {
  for (int i = 0; i < 10; ++i) minute(50, 3, 2);
  const auto kept = book.take_changed();
  EXPECT_TRUE(book.take_changed().empty());
  const auto before = now();
  BudgetBook next;
  clock.advance(-minutes(1));
  next.count(clock.now(), Kind::bad);  // In the last of these minutes.
  for (const BudgetBook::Kept& one : kept) next.put_back(one, clock.now());
  clock.advance(minutes(1));
  book = next;
  for (size_t i = 1; i < windows.size(); ++i) {
    EXPECT_EQ(now().by_window[i].valid, before.by_window[i].valid + 1) << windows[i].name;
    EXPECT_EQ(now().by_window[i].bad, before.by_window[i].bad + 1) << windows[i].name;
  }
  const int64_t minute_now = clock.now().count() / 60'000;
  for (const int64_t number : {minute_now + 1, minute_now - 400, int64_t{-5}})
    book.put_back(
        {.grain = BudgetBook::Grain::minute, .cell = {.number = number, .answered = 1, .bad = 1000}},
        clock.now());
  EXPECT_EQ(now().by_window[4].bad, before.by_window[4].bad + 1);
}

}  // namespace
}  // namespace holdfast::observe
