#include "tensor/linear.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace holdfast::tensor {
namespace {

using Vector = std::vector<float>;

Vector random_floats(std::mt19937& random, size_t count) {
  std::normal_distribution<float> normal(0, 0.5F);
  Vector out(count);
  for (float& x : out) x = normal(random);
  return out;
}

constexpr Activation activations[] = {Activation::none, Activation::relu,      Activation::relu_squared,
                                      Activation::gelu, Activation::gelu_tanh, Activation::gelu_quick,
                                      Activation::silu, Activation::sigmoid,   Activation::tanh,
                                      Activation::mish};

double activated(Activation activation, double x) {
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::relu_squared:
      return std::max(x, 0.0) * std::max(x, 0.0);
    case Activation::gelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::gelu_quick:
      return x * sigmoid(1.702 * x);
    case Activation::silu:
      return x * sigmoid(x);
    case Activation::sigmoid:
      return sigmoid(x);
    case Activation::tanh:
      return std::tanh(x);
    case Activation::mish:
      return x * std::tanh(std::log1p(std::exp(x)));
  }
  return NAN;
}

TEST(LinearLayer, IsTheProductItsActivationItsGateAndItsAddendForAnyShape) {
  std::mt19937 random(41);  // Seed 41.
  const auto threads = make_threads(2);
  for (int round = 0; round < 200; ++round) {
    const bool gated = random() % 3 == 0;
    const size_t rows = random() % 110, width = 1 + random() % 100, inputs = random() % 70;
    const size_t outputs = gated ? 2 * width : width;
    const size_t in_stride = inputs + 1 + random() % 3, out_stride = width + random() % 3;
    const Vector in = random_floats(random, rows * in_stride),
                 weight = random_floats(random, outputs * inputs), bias = random_floats(random, outputs),
                 addend = random_floats(random, rows * out_stride);
    LinearRun run;
    run.in = in.data();
    run.rows = rows;
    run.in_stride = in_stride;
    run.out_stride = out_stride;
    run.activation = activations[random() % std::size(activations)];
    if (random() % 2 == 0) run.addend = addend.data();
    const bool has_bias = random() % 3 != 0;
    for (Isa isa : isas_of_this_machine()) {
      const auto layer =
          make_linear({weight, has_bias ? std::span<const float>(bias) : std::span<const float>(), outputs,
                       inputs, gated ? OutputLayout::gated : OutputLayout::plain},
                      {isa, Precision::f32});
      EXPECT_EQ(layer->width(), width);
      Vector got(rows * out_stride, 7.0F);
      run.out = got.data();
      layer->run(run, *threads);
      for (size_t m = 0; m < rows; ++m)
        for (size_t n = 0; n < out_stride; ++n) {
          if (n >= width) {
            ASSERT_EQ(got[m * out_stride + n], 7.0F);
            continue;
          }
          const auto sum = [&](size_t output) {
            double total = has_bias ? bias[output] : 0;
            for (size_t k = 0; k < inputs; ++k)
              total += double(in[m * in_stride + k]) * weight[output * inputs + k];
            return total;
          };
          double expected = activated(run.activation, sum(n));
          if (gated) expected *= sum(width + n);
          if (run.addend != nullptr) expected += addend[m * out_stride + n];
          ASSERT_NEAR(got[m * out_stride + n], expected, 2e-5 * (1 + std::abs(expected)))
              << isa_name(isa) << " round " << round << " at " << m << ", " << n;
        }
    }
  }
}

}  // namespace
}  // namespace holdfast::tensor
