#include "tensor/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace holdfast::tensor {
namespace {

TEST(Threads, EveryIndexIsRunOnceAlsoWithinARun) {
  for (size_t count : {1U, 2U, 5U}) {
    const auto threads = make_threads(count);
    EXPECT_EQ(threads->count(), count);
    for (int round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> seen(37);
      threads->run(6,
                   [&](size_t outer) { threads->run(6, [&](size_t inner) { ++seen[outer * 6 + inner]; }); });
      threads->run(1, [&](size_t) { ++seen[36]; });
      threads->run(0, [&](size_t) { FAIL(); });
      for (const auto& times : seen) EXPECT_EQ(times, 1);
    }
  }
}

}  // namespace
}  // namespace holdfast::tensor
