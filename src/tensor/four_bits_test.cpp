#include "tensor/four_bits.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/quantize_blocks.h"

namespace holdfast::tensor {
namespace {

double error_of(std::span<const float> x, std::span<const int8_t> codes, float scale) {
  double squares = 0, sum = 0;
  for (const float number : x) squares += double(number) * number;
  for (size_t i = 0; i < x.size(); ++i) {
    const double miss = double(scale) * codes[i] - x[i];
    sum += std::sqrt(squares / double(x.size()) + double(x[i]) * x[i]) * miss * miss;
  }
  return sum;
}

TEST(FourBits, FitBetterThanRoundingOnTheGreatestMagnitude) {
  std::mt19937 random(17);  // Seed 17.
  std::normal_distribution<float> normal(0, 0.05F);
  double mine = 0, plain = 0;
  for (int round = 0; round < 500; ++round) {
    std::vector<float> x(32);
    for (float& number : x) number = normal(random) * (random() % 40 == 0 ? 4.0F : 1.0F);
    std::vector<int8_t> codes(32);
    const float scale = fit_four_bits(x, codes);
    EXPECT_EQ(from_half(to_half(scale)), scale);
    for (const int8_t code : codes) ASSERT_TRUE(code >= -8 && code <= 7);
    BlockRow row;
    read_block_row(codec::GgmlType::q4_0, quantize_blocks(codec::GgmlType::q4_0, x).value(), 32, row);
    for (int8_t& code : row.codes) code = static_cast<int8_t>(code - 8);
    const double here = error_of(x, codes, scale), there = error_of(x, row.codes, row.scales[0]);
    EXPECT_LE(here, there * 1.0001) << "round " << round;
    mine += here;
    plain += there;
  }
  EXPECT_LT(mine, 0.96 * plain);
}

TEST(FourBits, KeepNumbersThatFit) {
  std::vector<int8_t> codes(16);
  const std::vector<float> zeros(16), steps = {-8, 7, 3, 0, 1, -1, 5, 6, 7, -7, 2, 2, 2, -3, 4, 0};
  EXPECT_EQ(fit_four_bits(zeros, codes), 0);
  EXPECT_EQ(codes, std::vector<int8_t>(16));
  const float scale = fit_four_bits(steps, codes);
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_FLOAT_EQ(scale * codes[i], steps[i]);
}

}  // namespace
}  // namespace holdfast::tensor
