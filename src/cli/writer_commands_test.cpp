#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "cli/quantize.h"
#include "cli/recording_world.h"
#include "codec/json.h"
#include "io/temporary_folder.h"
#include "model/text_generator.h"

namespace holdfast::cli {
namespace {

constexpr std::string_view tokenizer = R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
  "normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
  "model":{"type":"WordLevel","vocab":{"[UNK]":0,"the":1,"of":2,"a":3,"is":4,"and":5,"on":6,"?":7,".":8,"in":9},
  "unk_token":"[UNK]"}})";

int quantize(RecordingWorld& world, std::vector<std::string_view> arguments) {
  arguments.insert(arguments.begin(), "quantize");
  return dispatch(quantize_commands(), world, arguments);
}

// The committed llama with a tokenizer of ten words.
class QuantizeWriter : public testing::Test {
 protected:
  void SetUp() override {
    const auto from = io::open_posix_disk("tests/golden/models/llama/gqa").value();
    const auto to = io::open_posix_disk(folder_.path()).value();
    ASSERT_TRUE(to->make_directories("plain").ok());
    for (const char* name : {"config.json", "generation_config.json", "model.safetensors"})
      ASSERT_TRUE(
          io::publish_text(*to, io::Path("plain") / name, io::read_text(*from, name, 1 << 20).value()).ok());
    ASSERT_TRUE(io::publish_text(*to, "plain/tokenizer.json", tokenizer).ok());
    plain_ = folder_.path() / "plain";
    out_ = folder_.path() / "small";
  }

  io::TemporaryFolder folder_;
  std::string plain_, out_;
  RecordingWorld world_;
};

TEST_F(QuantizeWriter, WritesAVariantInFourAndEightBitsThatWrites) {
  for (const std::string_view dtype : {"int4", "int8"}) {
    world_.output.clear();
    const std::string out = out_ + std::string(dtype);
    ASSERT_EQ(
        quantize(world_, {plain_, "--out", out, "--dtype", dtype, "--base-model", "demo/plain", "--json"}),
        exit_done)
        << world_.complaints;
    const auto said = codec::parse_json_object(world_.output).value();
    EXPECT_EQ(said.at("measure").as_string(), "next tokens that agree");
    EXPECT_EQ(said.at("matrices").to_number<int>(), 12);
    EXPECT_LT(said.at("bytes_after").to_number<double>(), said.at("bytes_before").to_number<double>());
    EXPECT_GT(said.at("least_cosine").to_number<double>(), dtype == "int4" ? 0.8 : 0.999);
    EXPECT_GT(said.at("compared").to_number<int>(), 32);
    const auto disk = io::open_posix_disk(out).value();
    const auto config =
        codec::parse_json_object(io::read_text(*disk, "config.json", 1 << 20).value()).value();
    EXPECT_EQ(config.at("quantization_config").at("format").as_string(), "pack-quantized");
    const std::string card = io::read_text(*disk, "README.md", 1 << 20).value();
    EXPECT_NE(card.find("base_model: demo/plain\nbase_model_relation: quantized\n"), std::string::npos)
        << card;
    EXPECT_TRUE(model::TextGenerator::open(*disk, ".").ok());
  }
}

TEST_F(QuantizeWriter, PastItsBoundItFailsAndLeavesNothing) {
  // Ten words and random weights: four bits change the best of 120 tokens somewhere.
  ASSERT_EQ(quantize(world_, {plain_, "--out", out_, "--dtype", "int4", "--drop-max", "0"}), exit_failed);
  EXPECT_FALSE(io::open_posix_disk(folder_.path()).value()->stat("small").ok());
  EXPECT_NE(world_.complaints.find("fell to"), std::string::npos) << world_.complaints;
}

// Letters, a space as "Ġ", and two merges.
constexpr std::string_view byte_level =
    R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
  "normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
  "post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
  "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":"","fuse_unk":false,
    "byte_fallback":false,"ignore_merges":false,
    "vocab":{"Ġ":2,"a":3,"b":4,"c":5,"d":6,"e":7,"t":8,"h":9,"th":10,"the":11},"merges":[["t","h"],["th","e"]]}})";

TEST_F(QuantizeWriter, WritesGgufFilesOfAFolderAndOfAFile) {
  const auto disk = io::open_posix_disk(folder_.path()).value();
  ASSERT_TRUE(io::publish_text(*disk, "plain/tokenizer.json", byte_level).ok());
  const std::string eight = out_ + ".gguf", four = out_ + "4.gguf";
  ASSERT_EQ(quantize(world_, {plain_, "--gguf", "q8_0", "--out", eight, "--json"}), exit_done)
      << world_.complaints;
  const auto said = codec::parse_json_object(world_.output).value();
  EXPECT_EQ(said.at("file").as_string(), eight);
  EXPECT_GT(said.at("matrices").to_number<int>(), 10);
  EXPECT_GT(said.at("least_cosine").to_number<double>(), 0.99);
  // A run that was killed left its unfinished file.
  ASSERT_TRUE(io::publish_text(*disk, "small4.part.gguf", "half").ok());
  ASSERT_EQ(quantize(world_, {eight, "--gguf", "Q4_0", "--out", four}), exit_done) << world_.complaints;
  EXPECT_FALSE(disk->stat("small4.part.gguf").ok());
  EXPECT_TRUE(model::TextGenerator::open(*disk, "small4.gguf").ok());
  // Past its bound nothing stays.
  const std::string none = out_ + "none.gguf";
  EXPECT_EQ(quantize(world_, {plain_, "--gguf", "Q4_0", "--out", none, "--drop-max", "0"}), exit_failed);
  const auto entries = disk->list(".").value();
  for (const io::Entry& entry : entries) EXPECT_EQ(entry.name.find("none"), std::string::npos) << entry.name;
}

TEST_F(QuantizeWriter, SaysWhatIsWrongWithAWishForGguf) {
  struct Row {
    std::vector<std::string_view> arguments;
    std::string_view says;
  };
  for (const Row& row :
       {Row{{plain_, "--gguf", "Q5_K", "--out", "a.gguf"}, "--gguf is F16"},
        {{plain_, "--gguf", "Q8_0", "--dtype", "int8", "--out", "a.gguf"}, "do not go together"},
        {{plain_, "--gguf", "Q8_0", "--out", "folder"}, "NAME.gguf"},
        {{plain_, "--gguf", "Q8_0", "--out", "a.gguf"}, "cannot say"}}) {
    world_.complaints.clear();
    EXPECT_NE(quantize(world_, row.arguments), exit_done);
    EXPECT_NE(world_.complaints.find(row.says), std::string::npos) << world_.complaints;
  }
}

TEST_F(QuantizeWriter, OfAVariantIsRefused) {
  ASSERT_EQ(quantize(world_, {plain_, "--out", out_, "--dtype", "int4"}), exit_done) << world_.complaints;
  const std::string twice = out_ + "-twice";
  EXPECT_EQ(quantize(world_, {out_, "--out", twice, "--dtype", "int4"}), exit_failed);
}

}  // namespace
}  // namespace holdfast::cli
