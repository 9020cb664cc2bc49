#include "serve/fair_queue.h"

#include <gtest/gtest.h>

#include <random>

namespace holdfast::serve {
namespace {

std::vector<std::string> order_of(FairQueue<std::string>& queue) {
  std::vector<std::string> out;
  while (!queue.empty()) out.push_back(queue.pop());
  return out;
}

TEST(FairQueue, AKeyWithManyWaitingDoesNotHoldUpOneWithFew) {
  FairQueue<std::string> queue;
  for (int i = 0; i < 100; ++i) queue.push("greedy", Priority::normal, 10, "g");
  queue.push("modest", Priority::normal, 10, "m1");
  queue.push("modest", Priority::normal, 10, "m2");
  const auto order = order_of(queue);
  ASSERT_EQ(order.size(), 102U);
  EXPECT_EQ((std::vector(order.begin(), order.begin() + 4)),
            (std::vector<std::string>{"g", "m1", "g", "m2"}));
}

TEST(FairQueue, SharesAreOfCostNotOfCount) {
  FairQueue<std::string> queue;
  for (int i = 0; i < 20; ++i) queue.push("long", Priority::normal, 40, "L");
  for (int i = 0; i < 80; ++i) queue.push("short", Priority::normal, 10, "s");
  std::map<std::string, int> taken;
  for (int i = 0; i < 50; ++i) ++taken[queue.pop()];
  EXPECT_NEAR(taken["s"], 4 * taken["L"], 5) << taken["s"] << " and " << taken["L"];
}

TEST(FairQueue, PriorityOrdersOnesOwnAndOnlyWeighsAgainstOthers) {
  FairQueue<std::string> queue;
  queue.push("a", Priority::low, 1, "low");
  queue.push("a", Priority::normal, 1, "normal");
  queue.push("a", Priority::high, 1, "high");
  EXPECT_EQ(order_of(queue), (std::vector<std::string>{"high", "normal", "low"}));
  for (int i = 0; i < 300; ++i) queue.push("pushy", Priority::high, 1, "p");
  for (int i = 0; i < 300; ++i) queue.push("plain", Priority::low, 1, "l");
  std::map<std::string, int> taken;
  for (int i = 0; i < 250; ++i) ++taken[queue.pop()];
  EXPECT_NEAR(taken["p"], 200, 3) << "four times the weight, and no more";
}

TEST(FairQueue, WhoWasIdleHasSavedNothingAndOwesNothing) {
  FairQueue<std::string> queue;
  for (int i = 0; i < 50; ++i) queue.push("busy", Priority::normal, 1, "b");
  for (int i = 0; i < 40; ++i) queue.pop();
  for (int i = 0; i < 10; ++i) queue.push("late", Priority::normal, 1, "l");
  std::map<std::string, int> taken;
  for (int i = 0; i < 10; ++i) ++taken[queue.pop()];
  EXPECT_NEAR(taken["l"], 5, 1);
}

TEST(FairQueue, WhatIsTakenOutOfTheMiddleLeavesTheRestInOrder) {
  FairQueue<std::string> queue;
  for (const char* item : {"1", "2", "3", "4"}) queue.push("a", Priority::normal, 1, item);
  EXPECT_EQ(queue.take_if([](const std::string& item) { return item == "2" || item == "3"; }).size(), 2U);
  EXPECT_EQ(queue.size_of("a"), 2U);
  EXPECT_EQ(queue.cost_before("a", Priority::normal, 1), 2);
  EXPECT_EQ(queue.cost_before("b", Priority::normal, 1), 1) << "of others no more than one's own";
  EXPECT_EQ(order_of(queue), (std::vector<std::string>{"1", "4"}));
  EXPECT_EQ(queue.size_of("a"), 0U);
}

// While several keys have work waiting, no two are further apart than the dearest items of both.
TEST(FairQueue, ByRandomSharesNeverDriftApart) {
  const unsigned seed = 20'260'721;
  std::mt19937 random(seed);
  FairQueue<std::pair<std::string, double>> queue;
  const std::vector<std::string> keys = {"a", "b", "c"};
  for (const std::string& key : keys)
    for (int i = 0; i < 400; ++i) {
      const double cost = 1 + static_cast<double>(random() % 50);
      queue.push(key, Priority::normal, cost, {key, cost});
    }
  std::map<std::string, double> given;
  for (int i = 0; i < 600; ++i) {
    const auto [key, cost] = queue.pop();
    given[key] += cost;
    for (const std::string& left : keys)
      for (const std::string& right : keys)
        ASSERT_LE(given[left] - given[right], 100) << "seed " << seed << ", step " << i;
  }
}

}  // namespace
}  // namespace holdfast::serve
