#include "net/pool.h"

#include <gtest/gtest.h>

#include <future>
#include <set>

namespace holdfast::net {
namespace {

TEST(PoolTest, EveryJobRunsOnceAlsoThoseThatJobsPost) {
  std::atomic<int> ran = 0;
  Pool pool(4, 1000);
  for (int i = 0; i < 500; ++i)
    pool.post([&] {
      ++ran;
      pool.post([&] { ++ran; });
    });
  while (ran < 1000) std::this_thread::yield();
  pool.join();
  EXPECT_EQ(ran, 1000);
  EXPECT_EQ(pool.jobs_waiting(), 0U);
}

TEST(PoolTest, AJobOfABurstThatStandsStillHoldsUpNoOther) {
  Pool pool(3, 1000);
  std::promise<void> go;
  std::atomic<int> ran = 0;
  const std::shared_future<void> told = go.get_future().share();
  for (int i = 0; i < 2; ++i)
    pool.post_burst([told, &ran] {
      told.wait();
      ++ran;
    });
  for (int i = 0; i < 500; ++i)
    pool.post_burst([&] {
      ++ran;
      pool.post_burst([&] { ++ran; });
    });
  while (ran < 1000) std::this_thread::yield();  // By the one thread that is left.
  go.set_value();
  pool.join();
  EXPECT_EQ(ran, 1002);
  EXPECT_EQ(pool.jobs_waiting(), 0U);
}

TEST(PoolTest, OneRequestAfterTheOtherStaysOnOneThread) {
  Pool pool(8, 1000);
  const auto used = [&] {
    std::set<std::thread::id> threads;
    for (int i = 0; i < 20; ++i) {
      std::promise<std::thread::id> ran;
      pool.post([&] { ran.set_value(std::this_thread::get_id()); });
      threads.insert(ran.get_future().get());
      std::this_thread::sleep_for(
          std::chrono::milliseconds(5));  // It becomes idle again, where it has a core.
    }
    return threads.size();
  };
  // Of eight: in turns it would have been all of them, each time.
  size_t least = used();
  for (int i = 0; i < 20 && least >= 6; ++i) least = std::min(least, used());
  EXPECT_LT(least, 6U);
}

TEST(PoolTest, WhatWasPostedIsDoneBeforeTheEndAndTheRestWaits) {
  Pool pool(1, 2);
  std::promise<void> go;
  std::atomic<int> ran = 0;
  pool.post([&, wait = go.get_future().share()] {
    wait.wait();
    ++ran;
  });
  for (int i = 0; i < 3; ++i) pool.post([&] { ++ran; });
  while (pool.jobs_waiting() > 3) std::this_thread::yield();
  EXPECT_FALSE(pool.admits());
  go.set_value();
  pool.join();
  EXPECT_EQ(ran, 4);
  EXPECT_TRUE(pool.admits());
}

}  // namespace
}  // namespace holdfast::net
