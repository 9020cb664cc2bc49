// The GGUF files of the reference data: rows widened, logits, greedy text.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <filesystem>

#include "codec/json.h"
#include "io/reference_data.h"
#include "model/decoder_rows.h"
#include "model/generation/generate.h"
#include "model/gguf_weights.h"
#include "tensor/blocks.h"

namespace holdfast::model {
namespace {

void expect_rows(io::Disk& disk, const io::Path& file, const tensor::Weights& golden,
                 const boost::json::object& rows) {
  const auto bytes = disk.map(file).value();
  const auto gguf = codec::GgufFile::parse(bytes->bytes()).value();
  for (const auto& [name, where] : rows) {
    const tensor::TensorView* wanted = golden.find(where.as_string());
    const codec::GgufTensor* tensor = gguf.find_tensor(name);
    ASSERT_NE(wanted, nullptr);
    ASSERT_NE(tensor, nullptr);
    const std::vector<float> expected = tensor::to_floats(*wanted).value();
    const auto got = tensor::widen_blocks(tensor->type, tensor->bytes, tensor->elements);
    ASSERT_TRUE(got.ok()) << got.error().message;
    for (size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(expected[i], got.value()[i]) << name << " " << i;
  }
}

std::vector<float> logits_of(const DecoderModel& model, std::span<const int64_t> ids,
                             tensor::Threads& threads) {
  TokenBatch batch;
  for (size_t i = 0; i < ids.size(); ++i) batch.add(ids[i], 0, static_cast<int64_t>(i));
  batch.end_sequence();
  const auto states = model.decoder().forward(batch, {}, threads).value();
  std::vector<float> logits(ids.size() * model.head_width());
  model.run_head(states.last.data(), ids.size(), logits.data(), threads);
  return logits;
}

void expect_near(std::span<const float> got, std::span<const float> expected, float bound) {
  ASSERT_EQ(expected.size(), got.size());
  float scale = 0, worst = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    scale = std::max(scale, std::abs(expected[i]));
    worst = std::max(worst, std::abs(expected[i] - got[i]));
  }
  EXPECT_LE(worst, bound * scale);
}

void expect_file(io::Disk& disk, const boost::json::object& one, const tensor::Weights& golden) {
  const std::string file(one.at("file").as_string());
  SCOPED_TRACE(file);
  expect_rows(disk, file, golden, one.at("weights_first_8_rows").as_object());
  const auto model = DecoderModel::open_gguf(disk, file);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto threads = tensor::make_threads(2);
  const tensor::TensorView& ids_view = *golden.find(one.at("input_ids").as_string());
  const std::vector<int64_t> ids = tensor::to_integers(ids_view).value();
  expect_near(logits_of(model.value(), ids, *threads),
              tensor::to_floats(*golden.find(one.at("logits").as_string())).value(), 1e-4F);

  std::vector<int64_t> greedy = tensor::to_integers(*golden.find(one.at("greedy").as_string())).value();
  DecoderRows rows(model.value(), *threads);
  GenerationSettings settings;
  settings.new_tokens_max = greedy.size() > ids.size() ? greedy.size() - ids.size() : greedy.size();
  const std::vector<Prompt> prompts = {{{ids.begin(), ids.end()}, 0}};
  const auto got = generate(rows, prompts, settings);
  ASSERT_TRUE(got.ok());
  std::vector<int64_t> all(got.value().sequences[0].begin(), got.value().sequences[0].end());
  if (greedy.size() <= ids.size()) all.erase(all.begin(), all.begin() + static_cast<ptrdiff_t>(ids.size()));
  EXPECT_EQ(all, greedy);
}

void expect_folder(const std::filesystem::path& root, size_t files) {
  const auto disk = io::open_posix_disk(root).value();
  const auto json = codec::parse_json_object(io::read_text(*disk, "golden.json", 1 << 20).value()).value();
  const auto golden = tensor::Weights::open_file(*disk, "golden.safetensors").value();
  const boost::json::array& cases = json.at("cases").as_array();
  EXPECT_GE(cases.size(), files);
  for (const boost::json::value& one : cases) expect_file(*disk, one.as_object(), golden);
}

TEST(Gguf, EveryCommittedFileGivesItsLogitsAndText) { expect_folder("tests/golden/models/gguf", 3); }

// llama.cpp's cache holds float16, ours float32.
TEST(Gguf, EveryArchitectureGivesWhatLlamaCppGives) {
  const auto disk = io::open_posix_disk("tests/golden/models/gguf-architectures").value();
  const auto json = codec::parse_json_object(io::read_text(*disk, "golden.json", 1 << 20).value()).value();
  const auto golden = tensor::Weights::open_file(*disk, "golden.safetensors").value();
  const std::vector<int64_t> ids = tensor::to_integers(*golden.find("ids")).value();
  const auto threads = tensor::make_threads(2);
  const boost::json::array& cases = json.at("cases").as_array();
  EXPECT_EQ(cases.size(), 20U);
  for (const boost::json::value& one : cases) {
    const std::string file(one.at("file").as_string());
    SCOPED_TRACE(file);
    const auto model = DecoderModel::open_gguf(*disk, file);
    ASSERT_TRUE(model.ok()) << model.error().message;
    expect_near(logits_of(model.value(), ids, *threads),
                tensor::to_floats(*golden.find(one.at("logits").as_string())).value(), 3e-3F);
  }
}

// A file that says more of a layer than its architecture has would be computed in part.
TEST(Gguf, ATensorThatNoLayerReadsIsRefusedByItsName) {
  std::string bytes = io::read_text(*io::open_posix_disk("tests/golden/models/gguf-architectures").value(),
                                    "phi2.gguf", 1 << 20)
                          .value();
  const std::string known = "blk.1.ffn_down.weight", other = "blk.1.ffn_sown.weight";
  bytes.replace(bytes.find(known), known.size(), other);
  const auto memory = io::make_memory_disk();
  ASSERT_TRUE(memory->create("x.gguf").value()->append(as_bytes(bytes)).ok());
  const auto model = DecoderModel::open_gguf(*memory, "x.gguf");
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().reason, Reason::model_unsupported);
  EXPECT_NE(model.error().message.find(other), std::string::npos) << model.error().message;
}

TEST(Gguf, EveryFileOfTheReferenceDataGivesItsLogitsAndText) {
  const auto root = io::reference_data("models/gguf");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  expect_folder(*root, 8);
}

}  // namespace
}  // namespace holdfast::model
