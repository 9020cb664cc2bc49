#include "tensor/packed_layers.h"

#include <gtest/gtest.h>

#include <random>

#include "base/random.h"
#include "io/faulty_disk.h"
#include "io/temporary_folder.h"

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
        const auto packed = make_linear(made.weights(), {Isa::plain, precision});
        writing.note("layer", made.shape, {Isa::plain, precision}, *packed);
        ASSERT_TRUE(writing.save().ok());
        const PackedLayers reading(*disk, "packed", "key", dice);
        ASSERT_TRUE(reading.is_mapped());
        const std::vector<float> in = random_numbers(5 * inputs, 9);
        for (const Isa isa : isas_of_this_machine()) {
          const auto found = reading.find("layer", made.shape, {isa, precision});
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
  const auto packed = make_linear(made.weights(), compute);
  layers.note("layer", made.shape, compute, *packed);
  EXPECT_EQ(layers.find("layer", made.shape, compute), nullptr) << "nothing is kept before it was saved";
  ASSERT_TRUE(layers.save().ok());
  EXPECT_NE(layers.find("layer", made.shape, compute), nullptr);
  EXPECT_EQ(layers.find("other", made.shape, compute), nullptr);
  EXPECT_EQ(layers.find("layer", {32, 17, OutputLayout::plain}, compute), nullptr);
  EXPECT_EQ(layers.find("layer", {32, 16, OutputLayout::gated}, compute), nullptr);
  EXPECT_EQ(layers.find("layer", made.shape, {Isa::plain, Precision::bf16}), nullptr);
}

TEST(PackedLayersTest, AFileOfOtherWeightsOrACutOneCountsAsNone) {
  const io::TemporaryFolder folder;
  const auto disk = open_disk(folder);
  const Layer made = random_layer(32, 16, OutputLayout::plain, 3);
  const Compute compute{Isa::plain, Precision::f32};
  const auto packed = make_linear(made.weights(), compute);
  PackedLayers layers(*disk, "packed", "key", dice);
  layers.note("layer", made.shape, compute, *packed);
  ASSERT_TRUE(layers.save().ok());
  EXPECT_FALSE(PackedLayers(*disk, "packed", "another key", dice).is_mapped());
  const auto text = io::read_text(*disk, "packed", 1 << 20);
  ASSERT_TRUE(text.ok());
  for (size_t length = 0; length < text.value().size(); length += length < 160 ? 5 : 501) {
    ASSERT_TRUE(io::publish_text(*disk, "cut", text.value().substr(0, length)).ok());
    EXPECT_FALSE(PackedLayers(*disk, "cut", "key", dice).is_mapped()) << length;
  }
  const size_t table_at = text.value().size() - 36 - 5 - 32;  // The layer, its name, the digest.
  for (size_t at = 0; at < text.value().size(); at += at < packed_head_bytes || at >= table_at ? 3 : 97) {
    std::string turned = text.value();
    turned[at] = static_cast<char>(turned[at] ^ 0x20);
    ASSERT_TRUE(io::publish_text(*disk, "turned", turned).ok());
    PackedLayers read(*disk, "turned", "key", dice);
    EXPECT_EQ(read.is_mapped(), at >= packed_head_bytes && at < table_at) << at << ": numbers have no digest";
  }
}

TEST(PackedLayersTest, WhereverSavingFailsNothingHalfIsFoundAndNothingIsLeft) {
  const Layer made = random_layer(64, 64, OutputLayout::plain, 3);
  const Compute compute{Isa::plain, Precision::f32};
  const auto packed = make_linear(made.weights(), compute);
  bool saved = false;
  for (uint64_t at = 1; !saved; ++at) {
    ASSERT_LT(at, 30U);
    const io::TemporaryFolder folder;
    const auto below = open_disk(folder);
    const auto disk = io::make_faulty_disk(*below, dice);
    PackedLayers layers(*disk, "packed", "key", dice);
    layers.note("layer", made.shape, compute, *packed);
    disk->set({.fail_at = at});
    saved = layers.save().ok();
    EXPECT_EQ(PackedLayers(*below, "packed", "key", dice).is_mapped(), saved) << at;
    EXPECT_EQ(below->list("").value().size(), saved ? 1U : 0U) << at;
  }
  const io::TemporaryFolder folder;
  const auto below = open_disk(folder);
  const auto disk = io::make_faulty_disk(*below, dice, {.full_after_bytes = 5000});
  PackedLayers layers(*disk, "packed", "key", dice);
  layers.note("layer", made.shape, compute, *packed);
  EXPECT_FALSE(layers.save().ok());
  EXPECT_TRUE(below->list("").value().empty());
}

}  // namespace
}  // namespace holdfast::tensor
