#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <filesystem>

#include "cli/quantize.h"
#include "cli/recording_world.h"
#include "codec/json.h"
#include "codec/safetensors.h"
#include "io/temporary_folder.h"
#include "model/encoder_model.h"

namespace holdfast::cli {
namespace {

constexpr std::string_view plain = "tests/golden/models/feature-extraction";

int quantize(RecordingWorld& world, std::vector<std::string_view> arguments) {
  arguments.insert(arguments.begin(), "quantize");
  return dispatch(quantize_commands(), world, arguments);
}

boost::json::object object_in(io::Disk& disk, const io::Path& path) {
  return codec::parse_json_object(io::read_text(disk, path, 1 << 24).value()).value();
}

TEST(Quantize, WritesAVariantThatTheRuntimeLoads) {
  const io::TemporaryFolder folder;
  const std::string out = folder.path() / "small";
  RecordingWorld world;
  ASSERT_EQ(
      quantize(world, {plain, "--out", out, "--drop-max", "0.05", "--base-model", "demo/plain", "--json"}),
      exit_done)
      << world.complaints << world.output;
  const auto said = codec::parse_json_object(world.output).value();
  EXPECT_LT(said.at("bytes_after").to_number<double>(), said.at("bytes_before").to_number<double>());
  EXPECT_GT(said.at("mean").to_number<double>(), 0.98);
  EXPECT_EQ(said.at("compared").to_number<int>(), 32);

  const auto disk = io::open_posix_disk(out).value();
  const auto config = object_in(*disk, "config.json");
  EXPECT_EQ(config.at("quantization_config").at("quant_method").as_string(), "compressed-tensors");
  const std::string card = io::read_text(*disk, "README.md", 1 << 20).value();
  EXPECT_NE(card.find("base_model: demo/plain\nbase_model_relation: quantized\n"), std::string::npos) << card;
  EXPECT_TRUE(disk->stat("tokenizer.json").ok());

  const auto weights = tensor::Weights::open(*disk, ".").value();
  size_t matrices = 0;
  for (const std::string& name : weights.names()) {
    if (weights.find(name)->dtype != codec::Dtype::i8) continue;
    ++matrices;
    const auto* scale = weights.find(name + "_scale");
    ASSERT_NE(scale, nullptr) << name;
    EXPECT_EQ(scale->shape, (std::vector<uint64_t>{weights.find(name)->shape[0], 1}));
  }
  EXPECT_EQ(matrices, static_cast<size_t>(said.at("matrices").to_number<int>()));
  for (const auto precision : {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8}) {
    tensor::Compute compute;
    compute.precision = precision;
    EXPECT_TRUE(model::EncoderModel::open(*disk, ".", compute).ok()) << tensor::precision_name(precision);
  }
}

TEST(Quantize, NamesTheRepositoryThatACachedFolderIsOf) {
  const io::TemporaryFolder folder;
  const io::Path snapshots = io::Path(folder.path()) / "models--demo--plain" / "snapshots";
  std::filesystem::create_directories(snapshots);
  std::filesystem::copy(plain, snapshots / "abc");
  const std::string source = snapshots / "abc", out = folder.path() / "small";
  RecordingWorld world;
  ASSERT_EQ(quantize(world, {source, "--out", out}), exit_done) << world.complaints;
  const auto disk = io::open_posix_disk(out).value();
  const std::string card = io::read_text(*disk, "README.md", 1 << 20).value();
  EXPECT_NE(card.find("base_model: demo/plain\nbase_model_relation: quantized\n"), std::string::npos) << card;
}

TEST(Quantize, OfAFolderWithoutANameKeepsTheBaseOfItsCard) {
  const io::TemporaryFolder folder;
  const std::string source = folder.path() / "tuned", out = folder.path() / "small";
  std::filesystem::copy(plain, source);
  const auto top = io::open_posix_disk(folder.path()).value();
  ASSERT_TRUE(
      io::publish_text(*top, "tuned/README.md", "---\nlicense: mit\nbase_model: lab/base\n---\n").ok());
  RecordingWorld world;
  ASSERT_EQ(quantize(world, {source, "--out", out}), exit_done) << world.complaints;
  const std::string card = io::read_text(*top, "small/README.md", 1 << 20).value();
  EXPECT_NE(card.find("license: mit\n"), std::string::npos) << card;
  EXPECT_NE(card.find("base_model: lab/base\n"), std::string::npos) << card;
  EXPECT_EQ(card.find("base_model_relation"), std::string::npos) << card;
}

TEST(Quantize, OfAVariantIsRefused) {
  const io::TemporaryFolder folder;
  const std::string once = folder.path() / "once", twice = folder.path() / "twice";
  RecordingWorld world;
  ASSERT_EQ(quantize(world, {plain, "--out", once}), exit_done) << world.complaints;
  ASSERT_EQ(quantize(world, {once, "--out", twice}), exit_failed);
  EXPECT_NE(world.complaints.find("no matrix"), std::string::npos) << world.complaints;
  const auto disk = io::open_posix_disk(folder.path()).value();
  EXPECT_FALSE(disk->stat("twice").ok());
}

TEST(Quantize, PastItsBoundItFailsAndLeavesNothing) {
  const io::TemporaryFolder folder;
  const std::string out = folder.path() / "small";
  RecordingWorld world;
  EXPECT_EQ(quantize(world, {plain, "--out", out, "--drop-max", "0"}), exit_failed);
  EXPECT_NE(world.complaints.find("fell to"), std::string::npos) << world.complaints;
  EXPECT_FALSE(io::open_posix_disk(folder.path()).value()->stat("small").ok());
}

TEST(Quantize, SaysWhatIsWrongWithItsArguments) {
  const io::TemporaryFolder folder;
  const std::string out = folder.path() / "small";
  struct Row {
    std::vector<std::string_view> arguments;
    std::string_view says;
  };
  for (const Row& row : {Row{{plain}, "--out"},
                         {{plain, "--out", out, "--dtype", "int4"}, "--dtype is int8"},
                         {{plain, "--out", out, "--dtype", "int3"}, "int8 or int4"},
                         {{plain, "--out", out, "--drop-max", "2"}, "--drop-max"},
                         {{plain, "--out", "tests"}, "there already"}}) {
    RecordingWorld world;
    EXPECT_NE(quantize(world, row.arguments), exit_done) << row.says;
    EXPECT_NE(world.complaints.find(row.says), std::string::npos) << world.complaints;
  }
}

}  // namespace
}  // namespace holdfast::cli
