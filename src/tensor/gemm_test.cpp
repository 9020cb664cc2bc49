#include "tensor/gemm.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace holdfast::tensor {
namespace {

using Vector = std::vector<float>;

Vector random_floats(std::mt19937& random, size_t count) {
  std::normal_distribution<float> normal(0, 1);
  Vector out(count);
  for (float& x : out) x = normal(random);
  return out;
}

// In double precision, straight from the definition.
Vector by_definition(const Vector& in, const Vector& weight, const Vector& bias, size_t rows, size_t outputs,
                     size_t inputs) {
  Vector out(rows * outputs);
  for (size_t m = 0; m < rows; ++m)
    for (size_t n = 0; n < outputs; ++n) {
      double sum = bias[n];
      for (size_t k = 0; k < inputs; ++k) sum += double(in[m * inputs + k]) * weight[n * inputs + k];
      out[m * outputs + n] = static_cast<float>(sum);
    }
  return out;
}

TEST(Linear, IsTheMatrixProductForAnyShape) {
  std::mt19937 random(21);  // Seed 21.
  const auto threads = make_threads(2);
  for (int round = 0; round < 120; ++round) {
    const size_t rows = random() % 130, outputs = 1 + random() % 100, inputs = random() % 70;
    const Vector in = random_floats(random, rows * inputs), weight = random_floats(random, outputs * inputs),
                 bias = random_floats(random, outputs);
    const PackedLinear layer(weight, bias, outputs, inputs);
    const Vector expected = by_definition(in, weight, bias, rows, outputs, inputs);
    for (Isa isa : isas_of_this_machine()) {
      Vector got(rows * outputs, NAN);
      linear(kernels_for(isa), *threads, layer, {in.data(), nullptr, got.data(), rows, Epilogue::bias});
      for (size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], expected[i], 2e-5) << isa_name(isa) << " round " << round << " at " << i;
    }
  }
}

TEST(Linear, ARowHasTheSameBitsAloneAndAmongManyAndOnOneAndTwoThreads) {
  std::mt19937 random(22);  // Seed 22.
  const size_t rows = 301, outputs = 97, inputs = 130;
  const Vector in = random_floats(random, rows * inputs), weight = random_floats(random, outputs * inputs),
               bias = random_floats(random, outputs), addend = random_floats(random, rows * outputs);
  const PackedLinear layer(weight, bias, outputs, inputs);
  const auto one = make_threads(1), two = make_threads(2);
  for (Epilogue epilogue : {Epilogue::none, Epilogue::bias, Epilogue::bias_gelu, Epilogue::bias_add}) {
    for (Isa isa : isas_of_this_machine()) {
      const Kernels& kernels = kernels_for(isa);
      Vector all(rows * outputs), shared(rows * outputs);
      linear(kernels, *one, layer, {in.data(), addend.data(), all.data(), rows, epilogue});
      linear(kernels, *two, layer, {in.data(), addend.data(), shared.data(), rows, epilogue});
      EXPECT_EQ(std::memcmp(all.data(), shared.data(), all.size() * sizeof(float)), 0) << isa_name(isa);
      for (size_t row : {0U, 1U, 95U, 96U, 150U, 300U}) {
        Vector alone(outputs);
        linear(kernels, *one, layer,
               {in.data() + row * inputs, addend.data() + row * outputs, alone.data(), 1, epilogue});
        EXPECT_EQ(std::memcmp(alone.data(), all.data() + row * outputs, outputs * sizeof(float)), 0)
            << isa_name(isa) << " row " << row;
      }
    }
  }
}

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
