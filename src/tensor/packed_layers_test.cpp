#include "tensor/packed_layers.h"

#include <gtest/gtest.h>

#include <random>

#include "base/random.h"
#include "io/faulty_disk.h"
#include "io/temporary_folder.h"
#include "tensor/block_linear.h"
#include "tensor/quantize_blocks.h"

namespace holdfast::tensor {
namespace {

std::vector<float> random_numbers(size_t count, uint32_t seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(count);
  for (float& x : out) x = normal(engine);
  return out;
}

SeededRandom dice(5);

std::unique_ptr<io::Disk> open_disk(const io::TemporaryFolder& folder) {
  return io::open_posix_disk(folder.path())
      .value();  // Mapped pages are aligned; those of a memory disk need not be.
}

struct Layer {
  LinearShape shape;
  std::vector<float> weight, bias;
  LinearWeights weights() const { return {weight, bias, shape.outputs, shape.inputs, shape.layout}; }
};

Layer random_layer(size_t outputs, size_t inputs, OutputLayout layout, uint32_t seed) {
  return {
      {outputs, inputs, layout}, random_numbers(outputs * inputs, seed), random_numbers(outputs, seed + 1)};
}

std::vector<float> answer(const Linear& layer, std::span<const float> in) {
  const auto threads = make_threads(1);
  std::vector<float> out(in.size() / layer.inputs() * layer.width());
  LinearRun run;
  run.in = in.data();
  run.out = out.data();
  run.rows = in.size() / layer.inputs();
  layer.run(run, *threads);
  return out;
}

TEST(PackedLayersTest, AKeptLayerAnswersToTheBitOnEveryInstructionSet) {
  for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8}) {
    for (const OutputLayout layout : {OutputLayout::plain, OutputLayout::gated}) {
      for (const size_t inputs : {1, 17, 96}) {
        const Layer made = random_layer(38, inputs, layout, static_cast<uint32_t>(inputs));
        const io::TemporaryFolder folder;
        const auto disk = open_disk(folder);
        PackedLayers writing(*disk, "packed", "key", dice);
        EXPECT_FALSE(writing.is_mapped());
        const auto kept = writing.keep("layer", {made.shape, precision, {}}, Isa::plain,
                                       make_linear(made.weights(), {Isa::plain, precision}));
        ASSERT_TRUE(writing.save().ok());
        const PackedLayers reading(*disk, "packed", "key", dice);
        ASSERT_TRUE(reading.is_mapped());
        const std::vector<float> in = random_numbers(5 * inputs, 9);
        EXPECT_EQ(answer(*kept, in), answer(*make_linear(made.weights(), {Isa::plain, precision}), in));
        for (const Isa isa : isas_of_this_machine()) {
          const auto found = reading.find("layer", {made.shape, precision, {}}, isa);
          ASSERT_NE(found, nullptr);
          EXPECT_EQ(found->bytes(), 0U) << "its pages are the file's";
          const auto fresh = make_linear(made.weights(), {isa, precision});
          EXPECT_EQ(answer(*found, in), answer(*fresh, in)) << isa_name(isa);
        }
      }
    }
  }
}

TEST(PackedLayersTest, ALayerOfAnotherNameShapeOrPrecisionIsNotFound) {
  const io::TemporaryFolder folder;
  const auto disk = open_disk(folder);
  PackedLayers layers(*disk, "packed", "key", dice);
  const Layer made = random_layer(32, 16, OutputLayout::plain, 3);
  const Compute compute{Isa::plain, Precision::f32};
  (void)layers.keep("layer", {made.shape, compute.precision, {}}, Isa::plain,
                    make_linear(made.weights(), compute));
  const auto found = [&](std::string_view name, const PackedForm& form) {
    return layers.find(name, form, Isa::plain) != nullptr;
  };
  const PackedForm form{made.shape, compute.precision, {}};
  EXPECT_FALSE(found("layer", form)) << "nothing is kept before it was saved";
  ASSERT_TRUE(layers.save().ok());
  EXPECT_TRUE(found("layer", form));
  EXPECT_FALSE(found("other", form));
  EXPECT_FALSE(found("layer", {{32, 17, OutputLayout::plain}, compute.precision, {}}));
  EXPECT_FALSE(found("layer", {{32, 16, OutputLayout::gated}, compute.precision, {}}));
  EXPECT_FALSE(found("layer", {made.shape, Precision::bf16, {}}));
  EXPECT_FALSE(found("layer", {made.shape, compute.precision, codec::GgmlType::q8_0}));
}

TEST(PackedLayersTest, AFileOfOtherWeightsOrACutOneCountsAsNone) {
  const io::TemporaryFolder folder;
  const auto disk = open_disk(folder);
  const Layer made = random_layer(32, 16, OutputLayout::plain, 3);
  const Compute compute{Isa::plain, Precision::f32};
  PackedLayers layers(*disk, "packed", "key", dice);
  (void)layers.keep("layer", {made.shape, compute.precision, {}}, Isa::plain,
                    make_linear(made.weights(), compute));
  ASSERT_TRUE(layers.save().ok());
  EXPECT_FALSE(PackedLayers(*disk, "packed", "another key", dice).is_mapped());
  const auto text = io::read_text(*disk, "packed", 1 << 20);
  ASSERT_TRUE(text.ok());
  for (size_t length = 0; length < text.value().size(); length += length < 160 ? 5 : 501) {
    ASSERT_TRUE(io::publish_text(*disk, "cut", text.value().substr(0, length)).ok());
    EXPECT_FALSE(PackedLayers(*disk, "cut", "key", dice).is_mapped()) << length;
  }
  const size_t table_at = text.value().size() - 45 - 5 - 32;  // The layer, its name, the digest.
  for (size_t at = 0; at < text.value().size(); at += at < packed_head_bytes || at >= table_at ? 3 : 97) {
    std::string turned = text.value();
    turned[at] = static_cast<char>(turned[at] ^ 0x20);
    ASSERT_TRUE(io::publish_text(*disk, "turned", turned).ok());
    EXPECT_FALSE(PackedLayers(*disk, "turned", "key", dice).is_mapped()) << at;
  }
  std::string swapped = text.value();  // Numbers that are there, elsewhere.
  std::swap_ranges(swapped.begin() + 64, swapped.begin() + 128, swapped.begin() + 128);
  ASSERT_NE(swapped, text.value());
  ASSERT_TRUE(io::publish_text(*disk, "swapped", swapped).ok());
  EXPECT_FALSE(PackedLayers(*disk, "swapped", "key", dice).is_mapped());
}

TEST(PackedLayersTest, LayersThatShareNumbersAreRefused) {
  const Bytes numbers(4096);
  const PackedForm form{{1, 1, OutputLayout::plain}, Precision::f32, {}};
  const auto is_read = [&](size_t count, uint64_t each) {
    std::vector<PackedEntry> entries;
    for (size_t i = 0; i < count; ++i)
      entries.push_back({"layer", form, packed_head_bytes, each / sizeof(float),
                         packed_sum(ByteView(numbers).first(each))});
    PackedEnds ends = write_packed_ends(entries, packed_head_bytes + numbers.size(), "key");
    Bytes file = std::move(ends.head);
    file.insert(file.end(), numbers.begin(), numbers.end());
    file.insert(file.end(), ends.table.begin(), ends.table.end());
    return read_packed_table(file, "key").ok();
  };
  EXPECT_TRUE(is_read(1, 4096));
  EXPECT_FALSE(is_read(2, 4096)) << "a small file that takes long to read";
}

// A layer whose weights are whole numbers, so that every way to round gives the same.
Layer counted_layer(size_t outputs, size_t inputs) {
  Layer out{{outputs, inputs, OutputLayout::plain}, {}, {}};
  for (size_t i = 0; i < outputs * inputs; ++i)
    out.weight.push_back(static_cast<float>(i * 37 % 255) - 127.0F);
  for (size_t i = 0; i < outputs; ++i) out.bias.push_back(static_cast<float>(i));
  return out;
}

// Files hold numbers in the order in which kernels read them. Whoever changes it changes packed_version, and
// then these sums; else files that were written before would be read as if they were new.
TEST(PackedLayersTest, TheOrderOfNumbersIsThatOfThisVersion) {
  const Layer made = counted_layer(37, 512);
  std::vector<uint64_t> sums;
  for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8})
    sums.push_back(packed_sum(std::as_bytes(make_linear(made.weights(), {Isa::plain, precision})->packed())));
  for (const codec::GgmlType type : {codec::GgmlType::q4_0, codec::GgmlType::q4_k, codec::GgmlType::q8_0}) {
    const Bytes blocks = quantize_blocks(type, made.weight).value();
    BlockWeights weights{type, {}, made.bias, made.shape.inputs};
    for (size_t row = 0; row < made.shape.outputs; ++row)
      weights.rows.push_back(
          ByteView(blocks).subspan(row * blocks.size() / 37, blocks.size() / made.shape.outputs));
    for (const Precision precision : {Precision::f32, Precision::int8})
      sums.push_back(
          packed_sum(std::as_bytes(make_block_linear(weights, {Isa::plain, precision})->packed())));
  }
  EXPECT_EQ(packed_version, 4U);
  EXPECT_EQ(sums, (std::vector<uint64_t>{5292390554852056426U, 9481350291498165361U, 8403751150306002525U,
                                         2329854080196310712U, 14125521505862110472U, 7386465290873857094U,
                                         64677611062561529U, 14514173939353731738U, 2744241404813813647U}));
}

TEST(PackedLayersTest, ThreadsThatLoadAModelTellOfItsLayersInAnyOrder) {
  const io::TemporaryFolder folder;
  const auto disk = open_disk(folder);
  const Layer made = random_layer(16, 8, OutputLayout::plain, 3);
  const PackedForm form{made.shape, Precision::f32, {}};
  const auto written = [&](size_t threads) {
    const std::string name = std::to_string(threads);
    PackedLayers layers(*disk, name, "key", dice);
    make_threads(threads)->run(200, [&](size_t i) {
      (void)layers.keep(std::to_string(i % 100), form, Isa::plain,
                        make_linear(made.weights(), {Isa::plain, Precision::f32}));
    });
    EXPECT_TRUE(layers.save().ok());
    return io::read_text(*disk, name, 1 << 20).value();
  };
  EXPECT_EQ(written(4), written(1));
}

TEST(PackedLayersTest, WhereverSavingFailsNothingHalfIsFoundAndNothingIsLeft) {
  const Layer made = random_layer(64, 64, OutputLayout::plain, 3);
  const Compute compute{Isa::plain, Precision::f32};
  bool saved = false;
  for (uint64_t at = 1; !saved; ++at) {
    ASSERT_LT(at, 30U);
    const io::TemporaryFolder folder;
    const auto below = open_disk(folder);
    const auto disk = io::make_faulty_disk(*below, dice);
    PackedLayers layers(*disk, "packed", "key", dice);
    (void)layers.keep("layer", {made.shape, compute.precision, {}}, Isa::plain,
                      make_linear(made.weights(), compute));
    disk->set({.fail_at = at});
    saved = layers.save().ok();
    EXPECT_EQ(PackedLayers(*below, "packed", "key", dice).is_mapped(), saved) << at;
    EXPECT_EQ(below->list("").value().size(), saved ? 1U : 0U) << at;
  }
  // Also where there is room, but not as much again for others.
  for (const auto& [room, is_enough] : {std::pair{5000U, false}, {20'000U, false}, {40'000U, true}}) {
    const io::TemporaryFolder folder;
    const auto below = open_disk(folder);
    const auto disk = io::make_faulty_disk(*below, dice, {.full_after_bytes = room});
    PackedLayers layers(*disk, "packed", "key", dice);
    (void)layers.keep("layer", {made.shape, compute.precision, {}}, Isa::plain,
                      make_linear(made.weights(), compute));
    EXPECT_EQ(layers.save().ok(), is_enough) << room;
    EXPECT_EQ(below->list("").value().size(), is_enough ? 1U : 0U) << room;
  }
}

}  // namespace
}  // namespace holdfast::tensor
