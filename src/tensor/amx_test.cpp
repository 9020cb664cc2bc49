// The tile kernels on emulated tile registers: what they load, multiply and store, against the plain sums.
// The instructions themselves are tested by linear_test.cpp on machines that have them.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "tensor/emulated_tiles.h"
#include "tensor/kernels.h"
#include "tensor/precision.h"

namespace holdfast::tensor {
namespace {

struct EmulatedPairs : Emulated {
  template <int c, int a, int b>
  static void dot() {
    each<c, a, b>([](uint32_t sum, uint32_t x, uint32_t y) {
      const auto wide = [](uint32_t half) { return std::bit_cast<float>(half << 16); };
      float total = std::bit_cast<float>(sum);
      total = std::fma(wide(x & 0xFFFFU), wide(y & 0xFFFFU), total);
      return std::bit_cast<uint32_t>(std::fma(wide(x >> 16), wide(y >> 16), total));
    });
  }
};

struct EmulatedBytes : Emulated {
  template <int c, int a, int b>
  static void dot() {
    each<c, a, b>([](uint32_t sum, uint32_t x, uint32_t y) {
      for (unsigned at = 0; at < 32; at += 8)
        sum +=
            static_cast<uint32_t>(static_cast<int32_t>(x >> at & 255U) * static_cast<int8_t>(y >> at & 255U));
      return sum;
    });
  }
};

template <class Tiles>
void compare(Precision precision, uint32_t word_mask) {
  std::mt19937 random(61);  // Seed 61.
  for (int round = 0; round < 60; ++round) {
    SumsJob job;
    job.row_count = random() % 75;
    job.strip_count = 2 * (1 + random() % 3);
    job.steps = 16 * (1 + random() % 4);
    job.row_words = job.steps + 16;
    job.strip_bytes = job.steps * line_bytes;
    job.sums_stride = job.strip_count * strip_columns;
    // Exactly as long as the job says, so that the address sanitizer sees a row too many.
    std::vector<uint32_t> rows(job.row_count == 0 ? 0 : job.row_count * job.row_words - 16);
    std::vector<uint32_t> strips(job.strip_count * job.steps * 16);
    for (uint32_t& word : rows) word = static_cast<uint32_t>(random()) & word_mask;
    for (uint32_t& word : strips) word = static_cast<uint32_t>(random()) & word_mask;
    job.rows = rows.data();
    job.strips = reinterpret_cast<const std::byte*>(strips.data());
    std::vector<uint32_t> expected(job.row_count * job.sums_stride), got(expected.size());
    job.sums = expected.data();
    plain_kernels.products[static_cast<size_t>(precision)].sums(job);
    job.sums = got.data();
    TileSums<Tiles>::sums(job);
    EXPECT_EQ(got, expected) << "round " << round;
    EXPECT_FALSE(Emulated::configured);
  }
}

TEST(Amx, TilesOfBytesAddUpToThePlainSums) { compare<EmulatedBytes>(Precision::int8, 0xFFFFFFFFU); }
// Without the top exponent bit, so that there are no infinities.
TEST(Amx, TilesOfPairsAddUpToThePlainSums) { compare<EmulatedPairs>(Precision::bf16, 0xBFFFBFFFU); }

}  // namespace
}  // namespace holdfast::tensor
