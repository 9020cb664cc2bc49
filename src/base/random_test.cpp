#include "base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>
#include <thread>
#include <vector>

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

TEST(Random, the_system_gives_no_bytes_twice_whoever_asks_and_for_how_many) {
  SystemRandom random;
  std::array<std::vector<std::string>, 3> drawn;
  std::vector<std::thread> threads;
  for (auto& mine : drawn)
    threads.emplace_back([&random, &mine] {
      for (size_t i = 0; i < 2000; ++i) mine.push_back(random.hex(8 + i % 100));
    });
  for (std::thread& one : threads) one.join();
  std::set<std::string> beginnings;
  for (const auto& mine : drawn)
    for (const std::string& one : mine) {
      EXPECT_TRUE(beginnings.insert(one.substr(0, 16)).second);
      EXPECT_EQ(one.find(std::string(16, '0')), std::string::npos) << "what was given away is wiped";
    }
}

}  // namespace
}  // namespace holdfast
