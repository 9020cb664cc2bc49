// Weights and rows in whole numbers: what rounds rows, the products on emulated tile registers and on every
// instruction set of the machine, against their plain twins.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "tensor/block_linear.h"
#include "tensor/blocks.h"
#include "tensor/emulated_tiles.h"
#include "tensor/kernels.h"
#include "tensor/simd/whole_tiles_amx.h"

namespace holdfast::tensor {
namespace {

struct EmulatedBytePairs : Emulated {
  template <class Weight, int c, int a, int b>
  static void add() {
    each<c, a, b>([](uint32_t sum, uint32_t x, uint32_t y) {
      for (unsigned at = 0; at < 32; at += 8)
        sum +=
            static_cast<uint32_t>(static_cast<int8_t>(x >> at & 255U) * static_cast<Weight>(y >> at & 255U));
      return sum;
    });
  }
  template <int c, int a, int b>
  static void dot() {
    add<int8_t, c, a, b>();
  }
  template <int c, int a, int b>
  static void dot_unsigned() {
    add<uint8_t, c, a, b>();
  }
};

// Sixteen numbers, as dots_avx512.h has them.
struct PlainSixteen {
  using V = std::array<float, 16>;
  using Sum = std::array<int32_t, 16>;
  struct Spread {
    std::array<int16_t, 16> step, least;
  };
  template <class Out, class Make>
  static Out each(Make make) {
    Out out;
    for (size_t i = 0; i < 16; ++i) out[i] = make(i);
    return out;
  }
  template <class Number>
  static Number at(const void* from, size_t i) {
    Number out;
    std::memcpy(&out, static_cast<const std::byte*>(from) + i * sizeof(Number), sizeof(Number));
    return out;
  }
  static V nothing() { return all(0); }
  static V all(float x) {
    return each<V>([=](size_t) { return x; });
  }
  static V times(V a, V b) {
    return each<V>([&](size_t i) { return a[i] * b[i]; });
  }
  static V fma(V a, V b, V c) {
    return each<V>([&](size_t i) { return std::fma(a[i], b[i], c[i]); });
  }
  static V singles(const std::byte* from) {
    return each<V>([=](size_t i) { return at<float>(from, i); });
  }
  static V floats(Sum sum) {
    return each<V>([&](size_t i) { return static_cast<float>(sum[i]); });
  }
  static void store(float* to, V v) { std::copy(v.begin(), v.end(), to); }
  static Sum shifted_sum(const int32_t* first, const int32_t* last) {
    return each<Sum>([&](size_t i) {
      return static_cast<int32_t>(static_cast<uint32_t>(first[i]) * 256 + static_cast<uint32_t>(last[i]));
    });
  }
  static Spread spread(const std::byte* from) {
    Spread out;
    for (size_t i = 0; i < 16; ++i) {
      out.step[i] = at<int16_t>(from, 2 * i);
      out.least[i] = static_cast<int16_t>(at<int16_t>(from, 2 * i + 1) - 8 * out.step[i]);
    }
    return out;
  }
  static void two_bytes(const Spread& of, const std::byte* from, int8_t* low, int8_t* low_last, int8_t* high,
                        int8_t* high_last) {
    for (size_t i = 0; i < 64; ++i) {
      const auto put = [&](int32_t code, int8_t* first, int8_t* last) {
        const auto weight = static_cast<uint16_t>(of.step[i / 4] * code + of.least[i / 4]);
        first[i] = static_cast<int8_t>(weight >> 8);
        last[i] = static_cast<int8_t>(weight & 255);
      };
      put(static_cast<uint8_t>(from[i]) & 15, low, low_last);
      put(static_cast<uint8_t>(from[i]) >> 4, high, high_last);
    }
  }
};

// Random weights within what a piece may hold, and rows.
struct Product {
  WholeDotsJob job;
  std::vector<std::byte> strips;
  std::vector<int8_t> codes;
  std::vector<float> scales;
  std::vector<int32_t> sums;

  Product(std::mt19937& random, const Kernels& rounding, size_t lanes) {
    job.group = random() % 2 == 0 ? 32 : 16;
    job.inputs = job.group * (1 + random() % (1500 / job.group));
    job.row_count = random() % 40;
    job.strip_count = 2 * (1 + random() % 2);
    job.strip_bytes = whole_strip_bytes(job.inputs, job.group);
    job.sums_stride = job.strip_count * strip_columns;
    strips.resize(job.strip_count * job.strip_bytes);
    for (std::byte& byte : strips) byte = static_cast<std::byte>(random());
    if (random() % 8 == 0)  // All codes the least or the greatest one.
      std::fill(strips.begin(), strips.end(), static_cast<std::byte>(random() % 2 == 0 ? 0 : 255));
    for (size_t strip = 0; strip < job.strip_count; ++strip)
      numbers(random, strips.data() + strip * job.strip_bytes);
    const size_t padded = (job.row_count + 15) / 16 * 16;
    codes.resize(padded * WholeRows::row_bytes(job.inputs));
    scales.resize(padded * pieces_of(job.inputs));
    sums.resize(padded * (job.inputs / job.group) * 2);
    job.rows = {codes.data(), scales.data(), sums.data(), lanes};
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> in(job.row_count * job.inputs);
    const bool greatest = random() % 4 == 0;  // Sums as large as they can be.
    const float most = random() % 2 == 0 ? 1.0F : -1.0F;
    for (float& x : in) x = greatest ? most : normal(random) * (random() % 64 == 0 ? 30.0F : 1.0F);
    rounding.whole_rows({in.data(), job.row_count, job.inputs, job.inputs, job.group, job.rows, 0});
    job.strips = strips.data();
  }

 private:
  void numbers(std::mt19937& random, std::byte* at) const {
    const bool greatest = random() % 4 == 0;
    for (size_t g = 0; g < job.inputs / job.group; ++g, at += whole_group_bytes(job.group)) {
      if (g * job.group % whole_piece == 0) {
        for (size_t i = 0; i < 16; ++i, at += 4) {
          const float scale = static_cast<float>(random() % 1000) / 7777;
          std::memcpy(at, &scale, 4);
        }
      }
      for (size_t i = 0; i < 16; ++i) {
        const int step = static_cast<int>(random() % 3801) - 1900;
        const int most = whole_most - 8 * std::abs(step);
        const int16_t both[2] = {
            static_cast<int16_t>(greatest ? 0 : step),
            static_cast<int16_t>(greatest ? whole_most
                                          : static_cast<int>(random() % (2 * static_cast<unsigned>(most))) -
                                                most)};
        std::memcpy(at + 4 * i, both, 4);
      }
    }
  }
};

TEST(WholeTiles, AddUpToThePlainSums) {
  std::mt19937 random(71);  // Seed 71.
  using Whole = WholeTiles<EmulatedBytePairs, PlainSixteen>;
  Whole::Scratch scratch;
  for (int round = 0; round < 60; ++round) {
    Product product(random, plain_kernels, 16);
    WholeDotsJob job = product.job;
    std::vector<float> expected(job.row_count * job.sums_stride), got(expected.size());
    job.sums = expected.data();
    plain_whole_dots(job);
    job.sums = got.data();
    Whole::run(job, scratch);
    ASSERT_EQ(got, expected) << "round " << round;
    EXPECT_FALSE(Emulated::configured);
  }
}

TEST(WholeDots, AreThePlainOnesOnEveryInstructionSet) {
  std::mt19937 random(72);  // Seed 72.
  for (int round = 0; round < 120; ++round) {
    Product product(random, plain_kernels, round % 3 == 0 ? 1 : 16);
    WholeDotsJob job = product.job;
    std::vector<float> expected(job.row_count * job.sums_stride), got(expected.size());
    job.sums = expected.data();
    plain_whole_dots(job);
    for (Isa isa : isas_of_this_machine()) {
      std::fill(got.begin(), got.end(), NAN);
      job.sums = got.data();
      kernels_for(isa).whole_dots(job);
      ASSERT_EQ(got, expected) << isa_name(isa) << " round " << round;
    }
  }
}

// The row that two bytes and a scale stand for.
TEST(WholeRows, AreWithinHalfAStepAndTheSameOnEveryInstructionSet) {
  std::mt19937 random(73);  // Seed 73.
  std::normal_distribution<float> normal(0, 1);
  constexpr float odd[] = {NAN, INFINITY, -INFINITY, 0.0F, 1e-38F, 3e38F, -0.0F};
  for (int round = 0; round < 60; ++round) {
    const size_t group = round % 2 == 0 ? 32 : 16, inputs = group * (1 + random() % 60),
                 rows = 1 + random() % 20;
    const size_t pieces = pieces_of(inputs), groups = inputs / group;
    std::vector<float> in(rows * inputs);
    for (float& x : in) x = normal(random) * std::ldexp(1.0F, static_cast<int>(random() % 12) - 6);
    if (round % 5 == 0) in[random() % in.size()] = odd[round / 5 % std::size(odd)];
    if (round % 7 == 0) std::fill_n(in.begin(), inputs, 0.0F);
    const size_t lanes = round % 3 == 0 ? 1 : 16, padded = (rows + 15) / 16 * 16;
    struct Made {
      std::vector<int8_t> codes;
      std::vector<float> scales;
      std::vector<int32_t> sums;
      WholeRows rows;
    };
    const auto make = [&](const Kernels& kernels) {
      Made out{std::vector<int8_t>(padded * WholeRows::row_bytes(inputs)),
               std::vector<float>(rows * pieces),
               std::vector<int32_t>(rows * groups * 2),
               {}};
      out.rows = {out.codes.data(), out.scales.data(), out.sums.data(), lanes};
      kernels.whole_rows({in.data(), rows, inputs, inputs, group, out.rows, 0});
      return out;
    };
    const Made plain = make(plain_kernels);
    for (size_t row = 0; row < rows; ++row)
      for (size_t k = 0; k < inputs; ++k) {
        const float scale = plain.scales[row * pieces + k / whole_piece];
        if (std::isnan(scale)) continue;
        const int8_t* at = plain.rows.codes + plain.rows.place(row, inputs) +
                           k / pair_inputs * plain.rows.step() + k % pair_inputs;
        const auto whole = static_cast<float>(whole_steps * at[0] + at[pair_inputs]);
        ASSERT_GE(at[0], -127);
        ASSERT_GE(at[pair_inputs], -127);
        ASSERT_NEAR(whole * scale, in[row * inputs + k], 0.505F * scale + 1.01F * row_least)
            << row << " " << k;
      }
    for (Isa isa : isas_of_this_machine()) {
      const Made made = make(kernels_for(isa));
      ASSERT_EQ(made.codes, plain.codes) << isa_name(isa) << " round " << round;
      ASSERT_EQ(made.sums, plain.sums) << isa_name(isa) << " round " << round;
      ASSERT_EQ(std::memcmp(made.scales.data(), plain.scales.data(), made.scales.size() * 4), 0)
          << isa_name(isa) << " round " << round;
    }
  }
}

// A layer of several pieces, and one whose scales are no numbers.
TEST(WholeBlockLinear, IsNearTheWidenedWeightOverSeveralPieces) {
  std::mt19937 random(74);  // Seed 74.
  std::normal_distribution<float> normal(0, 1);
  const auto threads = make_threads(2);
  for (int round = 0; round < 6; ++round) {
    const codec::GgmlType type = round % 2 == 0 ? codec::GgmlType::q4_0 : codec::GgmlType::q4_1;
    const size_t block_bytes = codec::ggml_type_row(type).block_bytes, inputs = 32 * (17 + random() % 40),
                 outputs = 1 + random() % 70, blocks = inputs / 32;
    std::vector<std::byte> bytes(outputs * blocks * block_bytes);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    const auto put = [&](size_t at, uint16_t half) { std::memcpy(bytes.data() + at, &half, 2); };
    for (size_t at = 0; at < bytes.size(); at += block_bytes) {
      put(at, half_that_equals(std::ldexp(static_cast<float>(1 + random() % 2000), -16)));
      if (round % 2 == 1)
        put(at + 2, half_that_equals(-std::ldexp(static_cast<float>(random() % 2000), -13)));
    }
    const bool broken = round == 5;
    if (broken) put(0, 0x7C00);  // Infinity: the first output's first piece.
    BlockWeights source{type, {}, {}, inputs};
    std::vector<float> weight;
    for (size_t i = 0; i < outputs; ++i) {
      source.rows.push_back(ByteView(bytes).subspan(i * blocks * block_bytes, blocks * block_bytes));
      const auto row = widen_blocks(type, source.rows.back(), inputs).value();
      weight.insert(weight.end(), row.begin(), row.end());
    }
    const size_t rows = 1 + random() % 40;
    std::vector<float> in(rows * inputs), exact(rows * outputs), got(exact.size());
    for (float& x : in) x = normal(random);
    LinearRun run;
    run.in = in.data();
    run.rows = rows;
    run.out = exact.data();
    make_linear({weight, {}, outputs, inputs}, {best_isa(), Precision::f32})->run(run, *threads);
    run.out = got.data();
    for (Isa isa : isas_of_this_machine()) {
      make_block_linear(source, {isa, Precision::int8})->run(run, *threads);
      double miss = 0, all = 0;
      for (size_t i = 0; i < got.size(); ++i) {
        if (broken && i % outputs == 0) {
          ASSERT_TRUE(std::isnan(got[i])) << isa_name(isa);
          continue;
        }
        miss += std::pow(double(got[i]) - exact[i], 2);
        all += std::pow(double(exact[i]), 2);
      }
      EXPECT_LE(miss, 4e-7 * all + 1e-12) << isa_name(isa) << " round " << round;
    }
  }
}

// Many rows are shared out by rows, few by outputs, and with tiles not so few of a layer of over 2 MB: a
// row's bits are the same in either, on any number of threads, and rows that lie apart stay apart.
void expect_bits_of_each_row_alone(size_t outputs, std::initializer_list<size_t> row_counts) {
  std::mt19937 random(75);  // Seed 75.
  std::normal_distribution<float> normal(0, 1);
  const size_t inputs = 32 * 20, block_bytes = 20;
  std::vector<std::byte> bytes(outputs * inputs / 32 * block_bytes);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  for (size_t at = 0; at < bytes.size(); at += block_bytes) {
    const uint16_t halves[2] = {half_that_equals(std::ldexp(static_cast<float>(1 + random() % 2000), -16)),
                                half_that_equals(-std::ldexp(static_cast<float>(random() % 2000), -13))};
    std::memcpy(bytes.data() + at, halves, sizeof halves);
  }
  BlockWeights source{codec::GgmlType::q4_1, {}, {}, inputs};
  source.layout = OutputLayout::gated;
  for (size_t i = 0; i < outputs; ++i)
    source.rows.push_back(ByteView(bytes).subspan(i * inputs / 32 * block_bytes, inputs / 32 * block_bytes));
  const size_t width = outputs / 2, in_stride = inputs + 3, out_stride = width + 5;
  for (const size_t rows : row_counts) {
    std::vector<float> in(rows * in_stride), before(rows * out_stride), expected(before.size());
    for (float& x : in) x = normal(random);
    for (float& x : before) x = normal(random);
    for (Isa isa : isas_of_this_machine()) {
      if (isa == Isa::plain) continue;
      const auto layer = make_block_linear(source, {isa, Precision::int8});
      LinearRun run;
      run.in = in.data();
      run.in_stride = in_stride;
      run.out_stride = out_stride;
      run.activation = Activation::silu;
      const auto alone = make_threads(1);
      expected = before;
      run.rows = 1;
      for (size_t row = 0; row < rows; ++row, run.in += in_stride) {
        run.out = expected.data() + row * out_stride;
        run.addend = run.out;
        layer->run(run, *alone);
      }
      run.in = in.data();
      run.rows = rows;
      for (const size_t count : {size_t{1}, size_t{2}, size_t{3}, size_t{7}}) {
        std::vector<float> got = before;
        run.addend = run.out = got.data();
        layer->run(run, *make_threads(count));
        ASSERT_EQ(got, expected) << isa_name(isa) << ", " << rows << " rows on " << count << " threads";
      }
    }
  }
}
TEST(WholeBlockLinear, GivesTheBitsOfEachRowAloneForLongRunsOnAnyThreads) {
  expect_bits_of_each_row_alone(2 * 40, {127, 128, 257, 530});
}
TEST(WholeBlockLinear, GivesTheBitsOfEachRowAloneWhereALayerIsLarge) {
  expect_bits_of_each_row_alone(2 * 3200, {130, 270});
}

}  // namespace
}  // namespace holdfast::tensor
