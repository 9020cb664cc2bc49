#include "serve/foresight.h"

#include <gtest/gtest.h>

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds now{100'000};

TEST(ForesightTest, WhatAlmostAllKeptIsTheFactor) {
  Foresight foresight;
  EXPECT_EQ(foresight.factor(now), 1);
  for (int i = 0; i < 400; ++i) foresight.came(now, milliseconds(100), milliseconds(i % 10 == 0 ? 300 : 110));
  EXPECT_DOUBLE_EQ(foresight.factor(now), 3) << "one of ten took three times as long";
  for (int i = 0; i < 400; ++i)
    foresight.came(now, milliseconds(100), milliseconds(i % 100 == 0 ? 300 : 120));
  EXPECT_DOUBLE_EQ(foresight.factor(now), 1.2) << "one of a hundred does not count";
}

TEST(ForesightTest, SoonerThanForeseenIsNoPromise) {
  Foresight foresight;
  for (int i = 0; i < 100; ++i) foresight.came(now, milliseconds(100), milliseconds(10));
  EXPECT_EQ(foresight.factor(now), 1);
}

TEST(ForesightTest, AFewLostMillisecondsAreNoMeasure) {
  Foresight foresight;
  for (int i = 0; i < 100; ++i) foresight.came(now, std::chrono::microseconds(100), milliseconds(9));
  EXPECT_EQ(foresight.factor(now), 1);
  for (int i = 0; i < 100; ++i) foresight.came(now, milliseconds(1), std::chrono::hours(1));
  EXPECT_EQ(foresight.factor(now), Foresight::factor_max);
}

TEST(ForesightTest, AMinuteLaterItIsForgotten) {
  Foresight foresight;
  for (int i = 0; i < 100; ++i) foresight.came(now, milliseconds(100), milliseconds(500));
  EXPECT_DOUBLE_EQ(foresight.factor(now + milliseconds(60'000)), 5);
  EXPECT_EQ(foresight.factor(now + milliseconds(60'001)), 1);
}

}  // namespace
}  // namespace holdfast::serve
