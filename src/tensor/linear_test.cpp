#include "tensor/linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "tensor/kernels.h"

namespace holdfast::tensor {
namespace {

using Vector = std::vector<float>;

Vector random_floats(std::mt19937& random, size_t count) {
  std::normal_distribution<float> normal(0, 0.5F);
  Vector out(count);
  for (float& x : out) x = normal(random);
  return out;
}

// Rounded to the nearest, ties to even; numbers without a leading one are zero.
uint16_t to_bf16(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7F800000U) == 0) bits &= 0x80000000U;
  return static_cast<uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

constexpr Activation activations[] = {Activation::none,     Activation::relu,      Activation::relu_squared,
                                      Activation::gelu,     Activation::gelu_tanh, Activation::gelu_quick,
                                      Activation::silu,     Activation::sigmoid,   Activation::tanh,
                                      Activation::mish,     Activation::relu_six,  Activation::leaky_relu,
                                      Activation::gelu_ten, Activation::laplace};

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
    case Activation::relu_six:
      return std::clamp(x, 0.0, 6.0);
    case Activation::leaky_relu:
      return x > 0 ? x : 0.01 * x;
    case Activation::gelu_ten:
      return std::clamp(0.5 * x * (1 + std::erf(x / std::sqrt(2.0))), -10.0, 10.0);
    case Activation::laplace:
      return 0.5 * (1 + std::erf((x - 0.707107) / (0.282095 * std::sqrt(2.0))));
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

constexpr Precision all_precisions[] = {Precision::f32, Precision::bf16, Precision::int8};

bool same_bits(const float* left, const float* right, size_t count) {
  return count == 0 || std::memcmp(left, right, count * sizeof(float)) == 0;
}

// Every instruction set beside the plain one, which computes from the definition of the packed form. Sums of
// f32 and int8 have one order and one rounding a step, so their bits are equal; bf16 is too, but for machines
// whose instruction takes a pair at once.
TEST(LinearLayer, EveryInstructionSetComputesWhatThePlainOneDoes) {
  std::mt19937 random(42);  // Seed 42.
  const auto threads = make_threads(1);
  for (int round = 0; round < 150; ++round) {
    const size_t rows = random() % 40, outputs = 1 + random() % 230,
                 inputs = random() % 9 == 0 ? 0 : random() % 150;
    const Vector in = random_floats(random, rows * inputs + 1),
                 weight = random_floats(random, outputs * inputs), bias = random_floats(random, outputs);
    for (Precision precision : all_precisions) {
      LinearRun run;
      run.in = in.data() + 1;
      run.rows = rows;
      Vector expected(rows * outputs + 1);
      run.out = expected.data() + 1;
      make_linear({weight, bias, outputs, inputs}, {Isa::plain, precision})->run(run, *threads);
      for (Isa isa : isas_of_this_machine()) {
        Vector got(rows * outputs + 1);
        run.out = got.data() + 1;
        make_linear({weight, bias, outputs, inputs}, {isa, precision})->run(run, *threads);
        if (precision != Precision::bf16 || isa < Isa::avx512_bf16) {
          EXPECT_TRUE(same_bits(got.data(), expected.data(), got.size()))
              << isa_name(isa) << " " << precision_name(precision) << " round " << round;
        } else {
          for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 3e-5) << "round " << round;
        }
      }
    }
  }
}

// What int8 costs where a few inputs are much larger than the others, on random shapes: less where it is told
// so. Every instruction set, kept layers, and a row alone, give the plain twin's bits.
TEST(LinearLayer, InputsThatStandOutShareTheDifferenceWithTheirWeightsOnEveryInstructionSet) {
  std::mt19937 random(46);  // Seed 46.
  const auto one = make_threads(1), two = make_threads(2);
  double all = 0, untold = 0, told = 0;
  for (int round = 0; round < 60; ++round) {
    const bool gated = round % 3 == 2;
    const size_t rows = 1 + random() % 40, width = 1 + random() % 90, inputs = 1 + random() % 150,
                 outputs = gated ? 2 * width : width;
    Vector peaks(inputs, 1.5F), in = random_floats(random, rows * inputs),
                                weight = random_floats(random, outputs * inputs),
                                bias = random_floats(random, outputs);
    for (size_t k = 0; k < inputs; ++k) {
      if (random() % 16 != 0) continue;
      peaks[k] *= 50;
      for (size_t row = 0; row < rows; ++row) in[row * inputs + k] *= 50;
    }
    if (round % 7 == 0) peaks[random() % inputs] = 0;
    LinearWeights weights{weight, bias, outputs, inputs, gated ? OutputLayout::gated : OutputLayout::plain};
    LinearRun run;
    run.in = in.data();
    run.rows = rows;
    Vector truth(rows * width), without(rows * width), expected(rows * width);
    run.out = truth.data();
    make_linear(weights, {Isa::plain, Precision::f32})->run(run, *one);
    run.out = without.data();
    make_linear(weights, {Isa::plain, Precision::int8})->run(run, *one);
    weights.peaks = peaks;
    run.out = expected.data();
    make_linear(weights, {Isa::plain, Precision::int8})->run(run, *one);
    for (size_t i = 0; i < truth.size() && !gated; ++i) {
      all += double(truth[i]) * truth[i];
      untold += (double(truth[i]) - without[i]) * (double(truth[i]) - without[i]);
      told += (double(truth[i]) - expected[i]) * (double(truth[i]) - expected[i]);
    }
    for (Isa isa : isas_of_this_machine()) {
      const auto layer = make_linear(weights, {isa, Precision::int8});
      const auto kept =
          make_packed_linear(layer->packed(), {outputs, inputs, weights.layout}, {isa, Precision::int8});
      ASSERT_NE(kept, nullptr);
      for (const Linear* each : {layer.get(), kept.get()})
        for (Threads* threads : {one.get(), two.get()}) {
          Vector got(rows * width);
          run.in = in.data();
          run.rows = rows;
          run.out = got.data();
          each->run(run, *threads);
          EXPECT_TRUE(same_bits(got.data(), expected.data(), got.size()))
              << isa_name(isa) << " round " << round;
          run.in = in.data() + (rows - 1) * inputs;
          run.rows = 1;
          each->run(run, *threads);
          EXPECT_TRUE(same_bits(got.data(), expected.data() + (rows - 1) * width, width)) << isa_name(isa);
        }
    }
  }
  EXPECT_LT(told, 2e-4 * all);
  EXPECT_LT(told, untold / 2);
}

// With and without factors; weights whose sums are large among them.
TEST(LinearLayer, BytesEndInTheSameBitsOnAllFastInstructionSets) {
  std::mt19937 random(48);  // Seed 48.
  const auto threads = make_threads(1);
  for (int round = 0; round < 24; ++round) {
    const size_t rows = 1 + random() % 110, width = 32 * (1 + random() % 4), inputs = 20 + random() % 300;
    Vector in = random_floats(random, rows * inputs), weight = random_floats(random, width * inputs),
           peaks(inputs);
    for (float& peak : peaks) peak = static_cast<float>(1 + random() % 50);
    if (round % 3 == 0)
      for (float& x : weight) x = round % 2 == 0 ? 1.0F : -1.0F;
    const Vector bias = random_floats(random, width), addend = random_floats(random, rows * width);
    LinearWeights weights{weight, bias, width, inputs};
    if (round % 4 != 0) weights.peaks = peaks;
    LinearRun run;
    run.in = in.data();
    run.rows = rows;
    run.activation = round / 4 % 2 == 0 ? Activation::none : Activation::gelu;
    if (round / 8 % 2 == 0) run.addend = addend.data();
    Vector expected(rows * width), got = expected;
    run.out = expected.data();
    make_linear(weights, {Isa::avx2, Precision::int8})->run(run, *threads);
    run.out = got.data();
    for (Isa isa : isas_of_this_machine()) {
      if (isa == Isa::plain) continue;
      make_linear(weights, {isa, Precision::int8})->run(run, *threads);
      EXPECT_TRUE(same_bits(got.data(), expected.data(), got.size())) << isa_name(isa) << " round " << round;
    }
  }
}

// What is no number, or beyond what has a range, becomes the same bytes everywhere.
TEST(LinearLayer, RowsOfBytesWithoutNumbersAreTheSameOnEveryInstructionSet) {
  const auto threads = make_threads(1);
  constexpr float inf = std::numeric_limits<float>::infinity(), none = NAN;
  std::mt19937 random(49);  // Seed 49.
  const size_t inputs = 85, outputs = 32;
  const Vector weight = random_floats(random, outputs * inputs);
  for (const float odd : {none, inf, -inf, 3e38F, -3e38F, 1e-42F}) {
    Vector in = odd == 1e-42F ? Vector(inputs, odd) : random_floats(random, inputs);
    in[70] = in[3] = odd;
    LinearRun run;
    run.in = in.data();
    run.rows = 1;
    Vector expected(outputs), got(outputs);
    run.out = expected.data();
    make_linear({weight, {}, outputs, inputs}, {Isa::plain, Precision::int8})->run(run, *threads);
    run.out = got.data();
    for (Isa isa : isas_of_this_machine()) {
      make_linear({weight, {}, outputs, inputs}, {isa, Precision::int8})->run(run, *threads);
      for (size_t i = 0; i < outputs; ++i)
        EXPECT_TRUE(got[i] == expected[i] || (std::isnan(got[i]) && std::isnan(expected[i])))
            << isa_name(isa) << " with " << odd << ": " << got[i] << " and " << expected[i];
    }
  }
}

TEST(LinearLayer, ALayerKeptWithAsManyNumbersAsNoneHasIsRefused) {
  const Vector weight(4 * 8, 1.0F), peaks(8, 1.0F);
  LinearWeights weights{weight, {}, 4, 8};
  const Compute compute{Isa::plain, Precision::int8};
  const auto without = make_linear(weights, compute);
  weights.peaks = peaks;
  const auto with = make_linear(weights, compute);
  EXPECT_EQ(with->packed().size(), without->packed().size() + 8);
  Floats numbers(with->packed().size());
  std::copy(with->packed().begin(), with->packed().end(), numbers.data());
  EXPECT_NE(make_packed_linear(numbers.span(), {4, 8}, compute), nullptr);
  EXPECT_NE(make_packed_linear(numbers.span().first(numbers.size() - 8), {4, 8}, compute), nullptr);
  EXPECT_EQ(make_packed_linear(numbers.span().first(numbers.size() - 1), {4, 8}, compute), nullptr);
}

TEST(LinearLayer, OutputsInBfloat16AreItsFloatsRounded) {
  std::mt19937 random(47);  // Seed 47.
  for (int round = 0; round < 12; ++round) {
    const size_t rows = 1 + random() % 130, width = 32 * (1 + random() % 4), inputs = 1 + random() % 200;
    const Vector in = random_floats(random, rows * inputs), weight = random_floats(random, width * inputs),
                 bias = random_floats(random, width);
    const Vector peaks(inputs, 2.0F);
    for (Isa isa : isas_of_this_machine())
      for (Precision precision : all_precisions) {
        LinearWeights weights{weight, bias, width, inputs};
        if (round % 2 == 0) weights.peaks = peaks;
        const auto layer = make_linear(weights, {isa, precision});
        ASSERT_EQ(layer->writes_halves(), precision != Precision::f32 && takes_halves(isa));
        if (!layer->writes_halves()) continue;
        const auto threads = make_threads(1 + round % 2);
        Vector out(rows * width);
        std::vector<uint16_t> halves(rows * width);
        LinearRun run;
        run.in = in.data();
        run.rows = rows;
        run.activation = round % 3 == 0 ? Activation::gelu : Activation::none;
        run.out = out.data();
        layer->run(run, *threads);
        run.out = nullptr;
        run.halves = halves.data();
        layer->run(run, *threads);
        for (size_t i = 0; i < out.size(); ++i)
          ASSERT_EQ(halves[i], to_bf16(out[i]))
              << isa_name(isa) << " " << precision_name(precision) << " " << i;
      }
  }
}

TEST(LinearLayer, ARowHasTheSameBitsAloneAndAmongManyAndOnOneAndTwoThreads) {
  std::mt19937 random(43);  // Seed 43.
  const auto one = make_threads(1), two = make_threads(2);
  for (int round = 0; round < 6; ++round) {
    const bool gated = round % 2 == 1;
    const size_t rows = 250 + random() % 90, width = 1 + random() % 300, inputs = 1 + random() % 200;
    const size_t outputs = gated ? 2 * width : width;
    const Vector in = random_floats(random, rows * inputs), weight = random_floats(random, outputs * inputs),
                 bias = random_floats(random, outputs), addend = random_floats(random, rows * width);
    for (Isa isa : isas_of_this_machine()) {
      if (isa == Isa::plain && round > 1) continue;
      for (Precision precision : all_precisions) {
        const auto layer =
            make_linear({weight, bias, outputs, inputs, gated ? OutputLayout::gated : OutputLayout::plain},
                        {isa, precision});
        LinearRun run;
        run.activation = round < 2 ? Activation::none : Activation::gelu;
        const auto compute = [&](size_t row, size_t count, Threads& threads) {
          Vector out(count * width);
          run.in = in.data() + row * inputs;
          run.addend = addend.data() + row * width;
          run.out = out.data();
          run.rows = count;
          layer->run(run, threads);
          return out;
        };
        const Vector all = compute(0, rows, *one);
        EXPECT_TRUE(same_bits(all.data(), compute(0, rows, *two).data(), all.size()))
            << isa_name(isa) << " " << precision_name(precision);
        for (const auto& [row, count] :
             {std::pair{0U, 1U}, {1U, 2U}, {95U, 3U}, {96U, 5U}, {150U, 13U}, {200U, 40U}})
          for (Threads* threads : {one.get(), two.get()})
            EXPECT_TRUE(
                same_bits(compute(row, count, *threads).data(), all.data() + row * width, count * width))
                << isa_name(isa) << " " << precision_name(precision) << " rows " << row << " + " << count;
      }
    }
  }
}

TEST(LinearLayer, LowerPrecisionIsNearTheTruth) {
  std::mt19937 random(44);  // Seed 44.
  const auto threads = make_threads(1);
  const size_t rows = 20, outputs = 64, inputs = 384;
  const Vector in = random_floats(random, rows * inputs), weight = random_floats(random, outputs * inputs);
  LinearRun run;
  run.in = in.data();
  run.rows = rows;
  Vector exact(rows * outputs);
  run.out = exact.data();
  make_linear({weight, {}, outputs, inputs}, {Isa::plain, Precision::f32})->run(run, *threads);
  for (const auto& [precision, cosine] : {std::pair{Precision::bf16, 0.99999}, {Precision::int8, 0.9999}}) {
    Vector got(rows * outputs);
    run.out = got.data();
    make_linear({weight, {}, outputs, inputs}, {best_isa(), precision})->run(run, *threads);
    double dot = 0, left = 0, right = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      dot += double(got[i]) * exact[i];
      left += double(got[i]) * got[i];
      right += double(exact[i]) * exact[i];
    }
    EXPECT_GT(dot / std::sqrt(left * right), cosine) << precision_name(precision);
    EXPECT_NE(got, exact);
  }
}

// A product that leaves its rows normalised and ready for the next one, beside the same steps one by one.
TEST(LinearLayer, WhatFollowsInTheProductEqualsTheStepsOneByOne) {
  std::mt19937 random(45);  // Seed 45.
  const auto one = make_threads(1), two = make_threads(2);
  for (int round = 0; round < 60; ++round) {
    const size_t rows = 1 + random() % 300, inputs = 1 + random() % 90,
                 width = random() % 2 == 0 ? 32 * (1 + random() % 4) : 1 + random() % 130,
                 outputs = 1 + random() % 60;
    const bool normed = random() % 2 == 0, added = normed && random() % 2 == 0, in_place = random() % 2 == 0;
    const Vector in = random_floats(random, rows * inputs), weight = random_floats(random, width * inputs),
                 bias = random_floats(random, width), second = random_floats(random, outputs * width),
                 gamma = random_floats(random, width), beta = random_floats(random, width),
                 addend = random_floats(random, rows * width);
    Vector peaks(width);  // Of what the second layer reads, where it is told.
    for (float& peak : peaks) peak = std::exp2(static_cast<float>(random() % 9));
    RowNorm norm;
    norm.kind = random() % 2 == 0 ? RowNorm::Kind::layer : RowNorm::Kind::root_mean_square;
    norm.gamma = gamma.data();
    norm.beta = beta.data();
    norm.epsilon = 1e-5F;
    for (Isa isa : isas_of_this_machine())
      for (Precision first_precision : all_precisions)
        for (Precision precision : all_precisions) {
          if (isa == Isa::plain && round > 5) continue;
          LinearWeights told{second, {}, outputs, width};
          if (round % 2 == 0) told.peaks = peaks;
          const auto first = make_linear({weight, bias, width, inputs}, {isa, first_precision}),
                     last = make_linear(told, {isa, precision});
          LinearRun run;
          run.in = in.data();
          run.rows = rows;
          run.activation = activations[random() % std::size(activations)];
          if (added) run.addend = addend.data();
          Vector middle(rows * width), normal(rows * width), expected(rows * outputs), got(rows * outputs);
          run.out = middle.data();
          first->run(run, *one);
          if (normed) {
            LayerNormJob job{middle.data(), normal.data(), gamma.data(), beta.data(), rows, width, 1e-5F};
            const Kernels& kernels = kernels_for(isa);
            (norm.kind == RowNorm::Kind::layer ? kernels.layer_norm : kernels.rms_norm)(job);
          }
          LinearRun next;
          next.in = normed ? normal.data() : middle.data();
          next.rows = rows;
          next.out = expected.data();
          last->run(next, *one);

          for (Threads* threads : {one.get(), two.get()}) {
            ReadyRows ready;
            ready.ensure(*last, rows);
            Vector out(rows * width), norm_out(rows * width);
            run.out = normed || random() % 2 == 0 ? out.data() : nullptr;
            run.reader = last.get();
            run.next = &ready;
            if (normed) {
              run.norm = &norm;
              run.norm_out = in_place ? out.data() : random() % 2 == 0 ? norm_out.data() : nullptr;
            }
            first->run(run, *threads);
            next.ready = &ready;
            next.in = nullptr;
            next.out = got.data();
            last->run(next, *threads);
            ASSERT_TRUE(same_bits(got.data(), expected.data(), got.size()))
                << isa_name(isa) << " " << precision_name(first_precision) << " then "
                << precision_name(precision) << " round " << round;
            if (run.norm_out != nullptr) {
              ASSERT_TRUE(same_bits(run.norm_out, normal.data(), normal.size()));
            }
            if (run.out != nullptr && run.norm_out != run.out) {
              ASSERT_TRUE(same_bits(run.out, middle.data(), middle.size()));
            }
          }
        }
  }
}

TEST(LinearLayer, GeluOfLowPrecisionIsAsNearAsWhatIsRoundedNextDeserves) {
  const auto threads = make_threads(1);
  const float one = 1;
  Vector x;
  for (float v = -12; v <= 12; v += 0.01F) x.push_back(v);
  for (Isa isa : isas_of_this_machine())
    for (const auto& [precision, bound] : {std::pair{Precision::bf16, 7e-5}, {Precision::int8, 2.5e-3}}) {
      LinearRun run;
      Vector bias = x, got(x.size());
      const Vector zeros(x.size(), 0.0F);
      run.in = &one;
      run.rows = 1;
      run.out = got.data();
      run.activation = Activation::gelu;
      make_linear({zeros, bias, x.size(), 1}, {isa, precision})->run(run, *threads);
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_NEAR(got[i], activated(Activation::gelu, x[i]), bound) << isa_name(isa) << " x = " << x[i];
    }
}

}  // namespace
}  // namespace holdfast::tensor
