#include "base/random.h"

#include <gtest/gtest.h>

#include <array>

namespace holdfast {
namespace {

TEST(Random, below_reaches_every_value_and_no_other) {
  SeededRandom random(7);
  std::array<int, 5> seen{};
  for (int i = 0; i < 5000; ++i) ++seen[random.below(5)];
  for (int count : seen) EXPECT_NEAR(count, 1000, 150);
}

TEST(Random, the_same_seed_gives_the_same_bytes) {
  EXPECT_EQ(SeededRandom(3).hex(16), SeededRandom(3).hex(16));
  EXPECT_NE(SeededRandom(3).hex(16), SeededRandom(4).hex(16));
}

TEST(Random, the_system_gives_different_bytes_each_time) {
  SystemRandom random;
  EXPECT_EQ(random.hex(16).size(), 32U);
  EXPECT_NE(random.hex(16), random.hex(16));
  EXPECT_EQ(random.letters(34).size(), 34U);
}

}  // namespace
}  // namespace holdfast
