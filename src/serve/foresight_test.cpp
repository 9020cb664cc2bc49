#include "serve/foresight.h"

#include <gtest/gtest.h>

namespace holdfast::serve {
namespace {

using std::chrono::milliseconds;

TEST(ForesightTest, WhatAlmostAllKeptIsTheFactor) {
  Foresight foresight;
  EXPECT_EQ(foresight.factor(), 1);
  for (int i = 0; i < 400; ++i) foresight.came(milliseconds(100), milliseconds(i % 10 == 0 ? 300 : 110));
  EXPECT_DOUBLE_EQ(foresight.factor(), 3) << "one of ten took three times as long";
  for (int i = 0; i < 400; ++i) foresight.came(milliseconds(100), milliseconds(i % 100 == 0 ? 300 : 120));
  EXPECT_DOUBLE_EQ(foresight.factor(), 1.2) << "one of a hundred does not count";
}

TEST(ForesightTest, SoonerThanForeseenIsNoPromise) {
  Foresight foresight;
  for (int i = 0; i < 100; ++i) foresight.came(milliseconds(100), milliseconds(10));
  EXPECT_EQ(foresight.factor(), 1);
}

TEST(ForesightTest, AFewLostMillisecondsAreNoMeasure) {
  Foresight foresight;
  for (int i = 0; i < 100; ++i) foresight.came(std::chrono::microseconds(100), milliseconds(9));
  EXPECT_EQ(foresight.factor(), 1);
  for (int i = 0; i < 100; ++i) foresight.came(milliseconds(1), std::chrono::hours(1));
  EXPECT_EQ(foresight.factor(), Foresight::factor_max);
}

}  // namespace
}  // namespace holdfast::serve
