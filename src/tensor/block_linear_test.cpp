#include "tensor/block_linear.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "io/disk.h"
#include "tensor/kept_floats.h"
#include "tensor/weights.h"

namespace holdfast::tensor {
namespace {

using codec::GgmlType;

constexpr GgmlType quantised[] = {GgmlType::q4_0, GgmlType::q4_1, GgmlType::q5_0, GgmlType::q5_1,
                                  GgmlType::q8_0, GgmlType::q2_k, GgmlType::q3_k, GgmlType::q4_k,
                                  GgmlType::q5_k, GgmlType::q6_k};

// Blocks of random codes whose binary16 scales are small ordinary numbers.
std::vector<std::byte> random_blocks(std::mt19937& random, GgmlType type, size_t blocks) {
  const size_t width = codec::ggml_type_row(type).block_bytes;
  std::vector<std::byte> out(blocks * width);
  for (std::byte& byte : out) byte = static_cast<std::byte>(random());
  const auto put = [&](size_t at) {
    const uint16_t half = half_that_equals(std::ldexp(static_cast<float>(random() % 2048) - 1024.0F, -16));
    std::memcpy(out.data() + at, &half, 2);
  };
  for (size_t i = 0; i < out.size(); i += width) {
    switch (type) {
      case GgmlType::q4_1:
      case GgmlType::q5_1:
      case GgmlType::q4_k:
      case GgmlType::q5_k:
        put(i + 2);
        [[fallthrough]];
      default:
        put(i);
        break;
      case GgmlType::q2_k:
        put(i + 80);
        put(i + 82);
        break;
      case GgmlType::q3_k:
        put(i + 108);
        break;
      case GgmlType::q6_k:
        put(i + 208);
        break;
    }
  }
  return out;
}

// 1, odd and even; of a gated layer even.
size_t random_outputs(std::mt19937& random, bool gated) {
  const size_t half = 1 + random() % 100;
  if (gated) return 2 * half;
  return random() % 4 == 0 ? 1 : 2 * half - random() % 2;
}

TEST(Blocks, HalvesThatAFloatEqualsReadBack) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const float value = from_half(static_cast<uint16_t>(bits));
    if (std::isnan(value)) continue;
    ASSERT_EQ(half_that_equals(value), bits);
  }
}

// What the Python package gguf makes of the same bytes.
TEST(Blocks, WidenAsTheGoldenDataSay) {
  const auto disk = io::open_posix_disk("tests/golden/models/gguf-blocks").value();
  const Weights golden = Weights::open_file(*disk, "golden.safetensors").value();
  constexpr GgmlType others[] = {GgmlType::f16, GgmlType::bf16};
  size_t seen = 0;
  const auto check = [&](GgmlType type) {
    const std::string name(codec::ggml_type_row(type).name);
    const TensorView *raw = golden.find(name + ".raw"), *expected = golden.find(name + ".dequant");
    if (raw == nullptr || expected == nullptr) return;
    ++seen;
    const std::vector<float> wanted = to_floats(*expected).value();
    const std::vector<float> got = widen_blocks(type, raw->bytes, wanted.size()).value();
    for (size_t i = 0; i < wanted.size(); ++i)
      ASSERT_NEAR(got[i], wanted[i], 1.2e-7 * std::abs(wanted[i])) << name << " at " << i;
  };
  for (GgmlType type : quantised) check(type);
  for (GgmlType type : others) check(type);
  EXPECT_GE(seen, 12U);
}

// On blocks, the results of the widened weight in f32: to the bit, for every type, instruction set, number of
// rows, and on one and two threads.
TEST(BlockLinear, GivesTheBitsOfTheWidenedWeight) {
  std::mt19937 random(51);  // Seed 51.
  const auto one = make_threads(1), two = make_threads(2);
  std::normal_distribution<float> normal(0, 1);
  for (GgmlType type : quantised) {
    for (int round = 0; round < 3; ++round) {
      const codec::GgmlTypeRow& sizes = codec::ggml_type_row(type);
      const bool gated = round == 1;
      const size_t blocks = 1 + random() % 3, inputs = blocks * sizes.block_elements;
      const size_t outputs = random_outputs(random, gated), width = gated ? outputs / 2 : outputs;
      const std::vector<std::byte> bytes = random_blocks(random, type, outputs * blocks);
      std::vector<float> bias(outputs), weight;
      for (float& x : bias) x = normal(random);
      BlockWeights source;
      source.type = type;
      source.inputs = inputs;
      source.layout = gated ? OutputLayout::gated : OutputLayout::plain;
      source.bias = bias;
      for (size_t i = 0; i < outputs; ++i) {
        source.rows.push_back(
            ByteView(bytes).subspan(i * blocks * sizes.block_bytes, blocks * sizes.block_bytes));
        const auto row = widen_blocks(type, source.rows.back(), inputs);
        ASSERT_TRUE(row.ok());
        weight.insert(weight.end(), row.value().begin(), row.value().end());
      }
      for (const size_t rows : {size_t{0}, size_t{1}, size_t{2}, size_t{4}, size_t{5}, 90 + random() % 30}) {
        std::vector<float> in(rows * inputs), addend(rows * width), expected(rows * width), got(rows * width);
        for (float& x : in) x = normal(random);
        for (float& x : addend) x = normal(random);
        LinearRun run;
        run.in = in.data();
        run.rows = rows;
        run.addend = addend.data();
        run.activation = gated ? Activation::silu : Activation::none;
        for (Isa isa : isas_of_this_machine()) {
          if (isa == Isa::plain && rows > 5) continue;
          run.out = expected.data();
          make_linear({weight, bias, outputs, inputs, source.layout}, {isa, Precision::f32})->run(run, *one);
          for (Threads* threads : {one.get(), two.get()}) {
            run.out = got.data();
            make_block_linear(source, {isa, Precision::f32})->run(run, *threads);
            if (rows == 0) continue;
            ASSERT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0)
                << sizes.name << " on " << isa_name(isa) << ", " << rows << " rows";
          }
        }
      }
    }
  }
}

struct RandomLayer {
  std::vector<std::byte> bytes;
  std::vector<float> bias, weight;
  BlockWeights source;
  size_t outputs = 0, width = 0;
};

std::unique_ptr<RandomLayer> random_layer(std::mt19937& random, GgmlType type, OutputLayout layout) {
  auto out = std::make_unique<RandomLayer>();
  std::normal_distribution<float> normal(0, 1);
  const codec::GgmlTypeRow& sizes = codec::ggml_type_row(type);
  const size_t blocks = 1 + random() % 3;
  out->outputs = random_outputs(random, layout == OutputLayout::gated);
  out->width = layout == OutputLayout::gated ? out->outputs / 2 : out->outputs;
  out->bytes = random_blocks(random, type, out->outputs * blocks);
  out->bias.resize(out->outputs);
  for (float& x : out->bias) x = normal(random);
  out->source = {type, {}, out->bias, blocks * sizes.block_elements, layout};
  if (random() % 2 == 0) out->source.row_bits = RowBits::eight;
  for (size_t i = 0; i < out->outputs; ++i) {
    out->source.rows.push_back(
        ByteView(out->bytes).subspan(i * blocks * sizes.block_bytes, blocks * sizes.block_bytes));
    const auto row = widen_blocks(type, out->source.rows.back(), out->source.inputs).value();
    out->weight.insert(out->weight.end(), row.begin(), row.end());
  }
  return out;
}

std::vector<float> run_layer(const Linear& layer, std::span<const float> in, size_t rows, Threads& threads) {
  std::vector<float> out(rows * layer.width());
  LinearRun run;
  run.in = in.data();
  run.out = out.data();
  run.rows = rows;
  layer.run(run, threads);
  return out;
}

// Rows quantised to bytes: the same bits on every instruction set, alone or among others, on one and two
// threads; and near to what the widened weight gives.
TEST(ByteBlockLinear, GivesTheSameBitsEverywhereAndIsNear) {
  std::mt19937 random(53);  // Seed 53.
  const auto one = make_threads(1), two = make_threads(2);
  std::normal_distribution<float> normal(0, 1);
  for (GgmlType type : quantised)
    for (const OutputLayout layout : {OutputLayout::plain, OutputLayout::gated, OutputLayout::plain}) {
      const auto layer = random_layer(random, type, layout);
      const size_t inputs = layer->source.inputs;
      const auto near = make_linear({layer->weight, layer->bias, layer->outputs, inputs, layout}, {});
      const auto oracle = make_block_linear(layer->source, {Isa::plain, Precision::int8});
      for (const size_t rows : {size_t{0}, size_t{1}, size_t{2}, size_t{3}, size_t{7}, size_t{16}, size_t{31},
                                60 + random() % 30}) {
        std::vector<float> in(rows * inputs);
        for (float& x : in)
          x = normal(random) * (random() % 64 == 0 ? 20.0F : 1.0F);  // Some groups are fine.
        const std::vector<float> wanted = run_layer(*oracle, in, rows, *one);
        const std::vector<float> exact = run_layer(*near, in, rows, *one);
        double dot = 0, a = 0, b = 0;
        for (size_t i = 0; i < wanted.size(); ++i) {
          dot += double(wanted[i]) * exact[i];
          a += double(wanted[i]) * wanted[i];
          b += double(exact[i]) * exact[i];
        }
        const double near_enough = layer->source.row_bits == RowBits::eight ? 0.99 : 0.999;
        if (rows > 0) EXPECT_GE(dot / std::sqrt(a * b), near_enough) << codec::ggml_type_row(type).name;
        // Drawn here, so that all machines see the same layers, whatever instruction sets they have.
        const size_t row = rows == 0 ? 0 : random() % rows;
        for (Isa isa : isas_of_this_machine()) {
          const auto fast = make_block_linear(layer->source, {isa, Precision::int8});
          for (Threads* threads : {one.get(), two.get()})
            ASSERT_EQ(run_layer(*fast, in, rows, *threads), wanted)
                << codec::ggml_type_row(type).name << " on " << isa_name(isa) << ", " << rows << " rows";
          if (rows == 0) continue;
          const auto alone = run_layer(*fast, std::span(in).subspan(row * inputs, inputs), 1, *one);
          ASSERT_TRUE(std::equal(alone.begin(), alone.end(),
                                 wanted.begin() + static_cast<ptrdiff_t>(row * layer->width)));
        }
      }
    }
}

// What a file of packed layers holds: made on one instruction set, read on all.
TEST(BlockLinear, ALayerMadeOfAnothersNumbersGivesTheSameBits) {
  std::mt19937 random(61);  // Seed 61.
  std::normal_distribution<float> normal(0, 1);
  const auto one = make_threads(1);
  for (GgmlType type : quantised)
    for (const OutputLayout layout : {OutputLayout::plain, OutputLayout::gated})
      for (const Precision precision : {Precision::f32, Precision::int8}) {
        const auto made = random_layer(random, type, layout);
        made->source.row_bits = RowBits::fine;
        const LinearShape shape{made->outputs, made->source.inputs, layout};
        const auto first = make_block_linear(made->source, {Isa::plain, precision});
        KeptFloats kept(first->packed().size() + 1);
        std::ranges::copy(first->packed(), kept.data());
        std::vector<float> in(3 * shape.inputs);
        for (float& x : in) x = normal(random);
        for (Isa isa : isas_of_this_machine()) {
          const Compute compute{isa, precision};
          const auto again =
              make_packed_block_linear(kept.span().first(kept.size() - 1), shape, type, compute);
          ASSERT_NE(again, nullptr);
          EXPECT_EQ(again->bytes(), 0U) << "the numbers are somebody else's";
          EXPECT_EQ(again->packed().data(), kept.data());
          EXPECT_EQ(run_layer(*again, in, 3, *one),
                    run_layer(*make_block_linear(made->source, compute), in, 3, *one))
              << codec::ggml_type_row(type).name << " on " << isa_name(isa);
          EXPECT_EQ(make_packed_block_linear(kept.span(), shape, type, compute), nullptr) << "one too many";
          EXPECT_EQ(make_packed_block_linear(kept.span().first(kept.size() - 1),
                                             {shape.outputs, shape.inputs + 1, layout}, type, compute),
                    nullptr);
        }
      }
}

}  // namespace
}  // namespace holdfast::tensor
