#include "model/gguf_export.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "io/reference_data.h"
#include "io/temporary_folder.h"
#include "model/text_generator.h"

namespace holdfast::model {
namespace {

using codec::GgmlType;

const io::Path llama = "tests/golden/models/llama/gqa";

// Letters, a space as "Ġ", and two merges.
constexpr std::string_view byte_level = R"({"version":"1.0","truncation":null,"padding":null,
  "added_tokens":[{"id":0,"content":"<pad>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true},
                  {"id":1,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],
  "normalizer":null,"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
  "post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
  "model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":"","end_of_word_suffix":"","fuse_unk":false,
    "byte_fallback":false,"ignore_merges":false,
    "vocab":{"<pad>":0,"<s>":1,"Ġ":2,"a":3,"b":4,"c":5,"d":6,"e":7,"t":8,"h":9,"th":10,"the":11,"Ġa":12},
    "merges":[["t","h"],["th","e"],["Ġ","a"]]}})";
constexpr std::string_view tokenizer_config =
    R"({"bos_token":"<s>","pad_token":"<pad>","chat_template":"{{ messages[0].content }}"})";

std::string text_of(io::Disk& disk, const io::Path& path) {
  return io::read_text(disk, path, 1 << 24).value();
}

// A folder with somebody's weights and the tokenizer above.
void fill(io::Disk& disk, const std::filesystem::path& from, std::string_view tokenizer = byte_level) {
  const auto source = io::open_posix_disk(from).value();
  for (const char* name : {"config.json", "model.safetensors"})
    ASSERT_TRUE(io::publish_text(disk, name, text_of(*source, name)).ok());
  ASSERT_TRUE(io::publish_text(disk, "tokenizer.json", tokenizer).ok());
  ASSERT_TRUE(io::publish_text(disk, "tokenizer_config.json", tokenizer_config).ok());
}

Result<GgufMade> write_file(io::Disk& disk, GgmlType type, const io::Path& to = "out.gguf") {
  (void)disk.remove(to);
  const auto file = disk.create(to).value();
  return export_gguf(disk, ".", {.type = type, .name = "tiny"}, *file);
}

std::vector<float> logits_of(const DecoderModel& model) {
  TokenBatch batch;
  const auto words = static_cast<int64_t>(model.plan().vocabulary);
  for (int64_t i = 0; i < 24; ++i) batch.add((i * 37 + 5) % words, 0, i);
  batch.end_sequence();
  const auto threads = tensor::make_threads(1);
  const auto states = model.decoder().forward(batch, {}, *threads);
  EXPECT_TRUE(states.ok());
  std::vector<float> out(24 * model.head_width());
  model.run_head(states.value().last.data(), 24, out.data(), *threads);
  return out;
}

double relative(const std::vector<float>& a, const std::vector<float>& b) {
  EXPECT_EQ(a.size(), b.size());
  double off = 0, all = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    off += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    all += double(b[i]) * b[i];
  }
  return std::sqrt(off / all);
}

TEST(GgufExport, OfALlamaGivesItsLogitsWithinWhatTheTypeLoses) {
  const io::TemporaryFolder folder;
  const auto disk = io::open_posix_disk(folder.path()).value();
  fill(*disk, llama);
  const auto expected = logits_of(DecoderModel::open(*disk, ".").value());
  struct Row {
    GgmlType type;
    double most;
  };
  for (const Row& row : {Row{GgmlType::f16, 3e-3}, Row{GgmlType::q8_0, 0.05}, Row{GgmlType::q4_0, 0.45}}) {
    const auto made = write_file(*disk, row.type);
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_GT(made.value().matrices, 10U);
    const auto model = DecoderModel::open_gguf(*disk, "out.gguf");
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_LT(relative(logits_of(model.value()), expected), row.most) << static_cast<int>(row.type);
  }
}

TEST(GgufExport, HasTheTokenizerAndTheTemplate) {
  const io::TemporaryFolder folder;
  const auto disk = io::open_posix_disk(folder.path()).value();
  fill(*disk, llama);
  ASSERT_TRUE(write_file(*disk, GgmlType::q8_0).ok());
  const auto from = TextGenerator::open(*disk, "."), made = TextGenerator::open(*disk, "out.gguf");
  ASSERT_TRUE(from.ok()) << from.error().message;
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(made.value().chat_template(), "{{ messages[0].content }}");
  for (const std::string text : {"the", "a bad cab", "<s>that bath", "  abed"}) {
    const auto wanted = from.value().tokenizer().encode({.text = text, .words = {}, .pair = {}}, {}).value();
    const auto got = made.value().tokenizer().encode({.text = text, .words = {}, .pair = {}}, {}).value();
    EXPECT_EQ(got.ids, wanted.ids) << text;
  }
}

TEST(GgufExport, KeepsStretchedRotaryPositions) {
  for (
      const char* rope :
      {R"({"rope_type":"llama3","factor":8.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":16})",
       R"({"rope_type":"linear","factor":4.0})",
       R"({"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":16})"}) {
    const io::TemporaryFolder folder;
    const auto disk = io::open_posix_disk(folder.path()).value();
    fill(*disk, llama);
    std::string config = text_of(*disk, "config.json");
    const std::string none = "\"rope_scaling\": null";
    ASSERT_NE(config.find(none), std::string::npos);
    config.replace(config.find(none), none.size(), std::string("\"rope_scaling\": ") + rope);
    ASSERT_TRUE(io::publish_text(*disk, "config.json", config).ok());
    const auto expected = logits_of(DecoderModel::open(*disk, ".").value());
    ASSERT_TRUE(write_file(*disk, GgmlType::f16).ok());
    EXPECT_LT(relative(logits_of(DecoderModel::open_gguf(*disk, "out.gguf").value()), expected), 3e-3)
        << rope;
  }
}

TEST(GgufExport, OfEveryFamilyOfTheReferenceDataGivesItsLogitsOrIsRefused) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  size_t written = 0;
  for (const char* family :
       {"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma3_text", "phi3", "smollm3", "cohere", "gpt2"})
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(*root) / family)) {
      SCOPED_TRACE(entry.path().string());
      const io::TemporaryFolder folder;
      const auto disk = io::open_posix_disk(folder.path()).value();
      if (!std::filesystem::exists(entry.path() / "model.safetensors")) continue;
      fill(*disk, entry.path());
      const auto original = DecoderModel::open(*disk, ".");
      ASSERT_TRUE(original.ok());
      if (original.value().plan().head_kind != DecoderPlan::Head::language) continue;
      const auto made = write_file(*disk, GgmlType::f16);
      if (!made.ok()) {
        EXPECT_EQ(made.error().reason, Reason::model_unsupported) << made.error().message;
        continue;
      }
      ++written;
      const auto model = DecoderModel::open_gguf(*disk, "out.gguf");
      ASSERT_TRUE(model.ok()) << model.error().message;
      EXPECT_LT(relative(logits_of(model.value()), logits_of(original.value())), 4e-3);
    }
  EXPECT_GE(written, 6U);
}

TEST(GgufExport, OfAGgufFileChangesTheTypeAlone) {
  const io::TemporaryFolder folder;
  const auto disk = io::open_posix_disk(folder.path()).value();
  fill(*disk, llama);
  ASSERT_TRUE(write_file(*disk, GgmlType::q8_0).ok());
  const auto file = disk->create("four.gguf").value();
  const auto made = requantize_gguf(*disk, "out.gguf", {.type = GgmlType::q4_0, .name = {}}, *file);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_GT(made.value().matrices, 10U);
  const auto four = TextGenerator::open(*disk, "four.gguf"), eight = TextGenerator::open(*disk, "out.gguf");
  ASSERT_TRUE(four.ok()) << four.error().message;
  const double change = relative(logits_of(four.value().model()), logits_of(eight.value().model()));
  EXPECT_GT(change, 0.01);
  EXPECT_LT(change, 0.45);
}

TEST(GgufExport, RefusesTokenizersThatHaveNoPlaceThere) {
  const io::TemporaryFolder folder;
  const auto disk = io::open_posix_disk(folder.path()).value();
  fill(*disk, llama, R"({"version":"1.0","truncation":null,"padding":null,"added_tokens":[],
    "normalizer":null,"pre_tokenizer":{"type":"Whitespace"},"post_processor":null,"decoder":null,
    "model":{"type":"WordLevel","vocab":{"[UNK]":0,"the":1},"unk_token":"[UNK]"}})");
  const auto made = write_file(*disk, GgmlType::q8_0);
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().reason, Reason::model_unsupported);
}

}  // namespace
}  // namespace holdfast::model
