// Encoder-decoder models of the reference data: every forward and generate case.
#include "model/seq2seq_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "codec/json.h"
#include "io/reference_data.h"
#include "model/any_model.h"
#include "model/families/seq2seqs.h"

namespace holdfast::model {
namespace {

// Which numbers of an output [rows, tokens, ...] belong to padding, which some of the goldens computed.
std::vector<bool> padding_of(const tensor::Weights& inputs, std::string_view mask, size_t numbers) {
  std::vector<bool> out(numbers, false);
  const tensor::TensorView* view = inputs.find(mask);
  if (view == nullptr) return out;
  const std::vector<int64_t> shown = tensor::to_integers(*view).value();
  for (size_t i = 0; i < numbers; ++i) out[i] = shown[i / (numbers / shown.size())] == 0;
  return out;
}

void expect_outputs(const boost::json::object& one, const tensor::Weights& golden,
                    const tensor::Weights& inputs, const std::vector<NamedTensor>& got) {
  for (const auto& [name, where] : one.at("outputs").as_object()) {
    const auto found =
        std::find_if(got.begin(), got.end(), [&](const NamedTensor& t) { return t.name == name; });
    ASSERT_NE(found, got.end()) << name;
    const tensor::TensorView* view = golden.find(where.as_string());
    ASSERT_NE(view, nullptr);
    EXPECT_EQ(found->shape, view->shape) << name;
    const std::vector<float> expected = tensor::to_floats(*view).value();
    ASSERT_EQ(expected.size(), found->data.size());
    std::vector<bool> padding(expected.size(), false);
    if (name == "encoder_last_hidden_state") padding = padding_of(inputs, "attention_mask", expected.size());
    double worst = 0, scale = 0;
    for (float x : expected) scale = std::max(scale, std::abs(static_cast<double>(x)));
    for (size_t i = 0; i < expected.size(); ++i)
      if (!padding[i]) worst = std::max(worst, std::abs(static_cast<double>(expected[i]) - found->data[i]));
    EXPECT_LE(worst, 2e-5 * scale) << name;  // A fifth of what is asked.
  }
}

void expect_sequences(const boost::json::object& one, const tensor::Weights& golden,
                      const AnyModel::Sequences& got) {
  const boost::json::object& outputs = one.at("outputs").as_object();
  const tensor::TensorView* view = golden.find(outputs.at("sequences").as_string());
  ASSERT_NE(view, nullptr);
  std::vector<int64_t> ids;
  for (const auto& row : got.ids) ids.insert(ids.end(), row.begin(), row.end());
  EXPECT_EQ(ids, tensor::to_integers(*view).value());
  const boost::json::value* scores = outputs.if_contains("sequences_scores");
  if (scores == nullptr) return;
  const auto wanted = tensor::to_floats(*golden.find(scores->as_string())).value();
  ASSERT_EQ(wanted.size(), got.scores.size());
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(wanted[i], got.scores[i], 1e-4);
}

void expect_folder(io::Disk& disk, const io::Path& folder, tensor::Isa isa) {
  SCOPED_TRACE(folder.string() + " " + std::string(tensor::isa_name(isa)));
  const auto threads = tensor::make_threads(2);
  const auto model = AnyModel::open(disk, folder, {.isa = isa});
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto golden = tensor::Weights::open_file(disk, folder / "golden.safetensors").value();
  const std::string text = io::read_text(disk, folder / "golden.json", 1 << 20).value();
  const boost::json::object json = codec::parse_json_object(text).value();
  for (const boost::json::value& value : json.at("cases").as_array()) {
    const boost::json::object& one = value.as_object();
    const std::string name(one.at("name").as_string());
    SCOPED_TRACE(name);
    const auto inputs = tensor::Weights::renamed(golden, name + ".in.");
    if (one.at("kind").as_string() == "forward") {
      const auto got = model.value().forward(inputs, *threads);
      ASSERT_TRUE(got.ok()) << got.error().message;
      expect_outputs(one, golden, inputs, got.value());
    } else {
      const auto got = model.value().generate(inputs, one.at("generate").as_object(), *threads);
      ASSERT_TRUE(got.ok()) << got.error().message;
      expect_sequences(one, golden, got.value());
    }
  }
}

// Folders ROOT/FAMILY/VARIANT of families that we have; of models of two parts, named after the second one.
std::vector<io::Path> folders_under(const std::filesystem::path& root) {
  std::vector<std::string_view> names = {"trocr"};
  for (const Seq2SeqFamily& family : seq2seq_families()) names.push_back(family.model_type);
  std::vector<io::Path> out;
  for (std::string_view name : names) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(root / name, missing))
      if (std::filesystem::exists(entry.path() / "golden.json"))
        out.push_back(io::Path(name) / entry.path().filename());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Seq2Seq, EveryCommittedGoldenIsReachedOnEveryInstructionSet) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto folders = folders_under("tests/golden/models");
  EXPECT_GE(folders.size(), 3U);
  for (const io::Path& folder : folders)
    for (tensor::Isa isa : tensor::isas_of_this_machine()) expect_folder(*disk, folder, isa);
}

TEST(Seq2Seq, EveryGoldenOfTheReferenceDataIsReached) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  const auto folders = folders_under(*root);
  EXPECT_GE(folders.size(), 9U);
  for (const io::Path& folder : folders) expect_folder(*disk, folder, tensor::best_isa());
}

// The numbers of rows [row, row + rows) of a tensor as a file holds them.
std::vector<int64_t> rows_of(const tensor::Weights& from, std::string_view name, size_t row, size_t rows) {
  const tensor::TensorView* view = from.find(name);
  const std::vector<int64_t> all = tensor::to_integers(*view).value();
  const size_t width = view->shape[1];
  return {all.begin() + static_cast<ptrdiff_t>(row * width),
          all.begin() + static_cast<ptrdiff_t>((row + rows) * width)};
}

TEST(Seq2Seq, ARowsBitsAreThoseItHasAlone) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  for (const char* folder : {"t5/flan-gated-gelu", "m2m_100/base"})
    for (const tensor::Precision precision :
         {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8}) {
      SCOPED_TRACE(folder);
      const auto model =
          Seq2SeqModel::open(*disk, folder, {.isa = tensor::best_isa(), .precision = precision}).value();
      const auto golden = tensor::Weights::open_file(*disk, io::Path(folder) / "golden.safetensors").value();
      const std::vector<int64_t> ids = rows_of(golden, "padded.in.input_ids", 0, 2),
                                 mask = rows_of(golden, "padded.in.attention_mask", 0, 2);
      const size_t width = ids.size() / 2;
      const auto batch_of = [&](size_t first, size_t last) {
        TokenBatch batch;
        for (size_t row = first; row < last; ++row) {
          const auto positions =
              positions_of(model.plan().encoder, std::span(ids).subspan(row * width, width));
          for (size_t i = 0; i < width; ++i)
            if (mask[row * width + i] != 0)
              batch.add(ids[row * width + i], 0, positions[i], static_cast<int64_t>(i));
          batch.end_sequence();
        }
        return batch;
      };
      const TokenBatch both = batch_of(0, 2), second = batch_of(1, 2);
      const auto one = tensor::make_threads(1), two = tensor::make_threads(2);
      const tensor::Floats together = model.decode_shifted(both, *two).value();
      const tensor::Floats alone = model.decode_shifted(second, *one).value();
      const size_t first = both.starts[1] * model.plan().decoder.width;
      ASSERT_EQ(together.size() - first, alone.size());
      EXPECT_EQ(std::memcmp(together.data() + first, alone.data(), alone.size() * sizeof(float)), 0);
    }
}

// transformers 5.23.0: padding among what a decoder has written has no position, and those after it count on
// from what is none. The committed model begins with another token; others begin with padding.
TEST(Seq2Seq, PaddingThatADecoderWroteHasNoPosition) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const AnyModel model = AnyModel::open(*disk, "m2m_100/base").value();
  const auto threads = tensor::make_threads(1);
  const std::vector<int64_t> read = {5, 6, 7, 2}, written = {1, 5, 1, 9};
  const auto view = [](const std::vector<int64_t>& ids) {
    return tensor::TensorView{tensor::Dtype::i64, {1, ids.size()}, std::as_bytes(std::span(ids))};
  };
  const auto inputs =
      tensor::Weights::borrowed({{"input_ids", view(read)}, {"decoder_input_ids", view(written)}});
  const std::vector<NamedTensor> outputs = model.forward(inputs, *threads).value();
  const auto logits = std::ranges::find(outputs, "logits", &NamedTensor::name);
  ASSERT_NE(logits, outputs.end());
  constexpr float wanted[] = {-0.1464003F, 0.0981923F, -0.0905353F, -0.3659637F};  // Of token 3.
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(logits->data[i * 120 + 3], wanted[i], 3e-5F) << i;
}

// The numbers of one item of a tensor.
template <class Number>
struct Item {
  std::vector<uint64_t> shape;
  std::vector<Number> numbers;
  Item(const tensor::TensorView& view, std::vector<Number> all, size_t index) : shape(view.shape) {
    const size_t each = all.size() / shape[0];
    shape[0] = 1;
    numbers.assign(all.begin() + static_cast<ptrdiff_t>(index * each),
                   all.begin() + static_cast<ptrdiff_t>((index + 1) * each));
  }
};

TEST(Seq2Seq, WhatIsWrittenOfASoundOrImageDoesNotDependOnItsNeighbours) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  const auto one = tensor::make_threads(1), two = tensor::make_threads(2);
  for (const auto& [folder, input] :
       {std::pair("whisper/base", "input_features"), std::pair("trocr/vit-trocr", "pixel_values")})
    for (const tensor::Precision precision :
         {tensor::Precision::f32, tensor::Precision::bf16, tensor::Precision::int8}) {
      SCOPED_TRACE(folder);
      const auto model = AnyModel::open(*disk, folder, {.precision = precision}).value();
      const auto golden = tensor::Weights::open_file(*disk, io::Path(folder) / "golden.safetensors").value();
      const auto inputs = tensor::Weights::renamed(golden, "forward.in.");
      const auto together = model.forward(inputs, *two).value();
      const tensor::TensorView& signal = *inputs.find(input);
      const tensor::TensorView& ids = *inputs.find("decoder_input_ids");
      for (size_t item = 0; item < signal.shape[0]; ++item) {
        const Item<float> read(signal, tensor::to_floats(signal).value(), item);
        const Item<int64_t> written(ids, tensor::to_integers(ids).value(), item);
        const auto alone =
            model
                .forward(tensor::Weights::borrowed(
                             {{input, tensor::TensorView{tensor::Dtype::f32, read.shape,
                                                         std::as_bytes(std::span(read.numbers))}},
                              {"decoder_input_ids",
                               tensor::TensorView{tensor::Dtype::i64, written.shape,
                                                  std::as_bytes(std::span(written.numbers))}}}),
                         *one)
                .value();
        ASSERT_EQ(alone.size(), together.size());
        for (size_t i = 0; i < alone.size(); ++i) {
          const size_t each = alone[i].data.size();
          EXPECT_EQ(
              std::memcmp(alone[i].data.data(), together[i].data.data() + item * each, each * sizeof(float)),
              0)
              << alone[i].name;
        }
      }
    }
}

TEST(Seq2Seq, RefusesSettingsOfWhisperItDoesNotHave) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  const auto threads = tensor::make_threads(1);
  const auto model = AnyModel::open(*disk, "whisper/base", {}).value();
  const auto golden = tensor::Weights::open_file(*disk, "whisper/base/golden.safetensors").value();
  const auto inputs = tensor::Weights::renamed(golden, "greedy.in.");
  for (const char* name : {"language", "task", "return_timestamps", "forced_decoder_ids"}) {
    const auto got = model.generate(inputs, {{"max_new_tokens", 2}, {name, "en"}}, *threads);
    ASSERT_FALSE(got.ok());
    EXPECT_NE(got.error().message.find(name), std::string::npos);
  }
  EXPECT_TRUE(model.generate(inputs, {{"max_new_tokens", 2}, {"return_timestamps", false}}, *threads).ok());
}

TEST(Seq2Seq, RefusesTablesThatAreTooLargeToCompute) {
  boost::json::object config = {
      {"model_type", "marian"},       {"d_model", 16'384}, {"encoder_attention_heads", 2},
      {"decoder_attention_heads", 2}, {"vocab_size", 10},  {"max_position_embeddings", 1 << 20}};
  EXPECT_EQ(plan_seq2seq(config).error().reason, Reason::bad_request);
  config["max_position_embeddings"] = 512;
  EXPECT_TRUE(plan_seq2seq(config).ok());
}

}  // namespace
}  // namespace holdfast::model
