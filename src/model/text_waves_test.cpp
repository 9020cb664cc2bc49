#include "model/text_waves.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numbers>

namespace holdfast::model {
namespace {

std::vector<float> some_numbers(size_t count) {
  std::vector<float> out(count);
  uint64_t state = 7;
  for (float& value : out) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    value = static_cast<float>(state >> 40) / static_cast<float>(1 << 23) - 1;
  }
  return out;
}

// One wave after the other, each angle by itself.
std::vector<double> plainly(const std::vector<float>& rows, size_t length, size_t width) {
  std::vector<double> out(length * width, 0.0), cosines(length), sines(length);
  for (size_t i = 0; i < length; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length);
    cosines[i] = std::cos(angle);
    sines[i] = std::sin(angle);
  }
  for (size_t row = 0; row < length; ++row)
    for (size_t other = 0; other < length; ++other)
      for (size_t k = 0; k < width; ++k)
        out[row * width + k] += cosines[row * other % length] * rows[other * 2 * width + k] -
                                sines[row * other % length] * rows[other * 2 * width + width + k];
  return out;
}

void expect_waves(size_t length, size_t width) {
  SCOPED_TRACE(std::to_string(length) + " rows of " + std::to_string(width));
  const std::vector<float> rows = some_numbers(length * 2 * width);
  const std::vector<double> wanted = plainly(rows, length, width);
  std::vector<float> got(length * width, 0.25F);
  TextWaves(length).add(rows.data(), width, got.data(), *tensor::make_threads(1));
  double most = 1, worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    most = std::max(most, std::abs(wanted[i]));
    worst = std::max(worst, std::abs(wanted[i] + 0.25 - got[i]));
  }
  EXPECT_LE(worst, 1e-6 * most);
}

TEST(TextWaves, AreThoseOfThePlainSumForEveryLength) {
  for (size_t length = 1; length <= 130; ++length) expect_waves(length, length % 3 == 0 ? 5 : 20);
}

TEST(TextWaves, AreThoseOfThePlainSumForLongTexts) {
  for (const size_t length : {243, 256, 338, 509, 510, 512, 625, 1'021, 1'024}) expect_waves(length, 17);
}

// Columns do not know of each other, nor of threads.
TEST(TextWaves, HaveTheSameBitsOnAnyNumberOfThreads) {
  for (const size_t length : {60, 61}) {
    const size_t width = 640;
    const std::vector<float> rows = some_numbers(length * 2 * width);
    std::vector<float> one(length * width, 0.0F), three = one;
    TextWaves(length).add(rows.data(), width, one.data(), *tensor::make_threads(1));
    TextWaves(length).add(rows.data(), width, three.data(), *tensor::make_threads(3));
    EXPECT_EQ(std::memcmp(one.data(), three.data(), one.size() * sizeof(float)), 0);
  }
}

}  // namespace
}  // namespace holdfast::model
