// Families that hold another one within them answer as it does, with the same weights, where what sets them
// apart has nothing to do: a window wider than the text, blocks that no text fills, bottlenecks left out.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <cstring>

#include "codec/json.h"
#include "codec/safetensors.h"
#include "model/encoder_model.h"
#include "model/seq2seq_model.h"

namespace holdfast::model {
namespace {

constexpr uint64_t bytes_max = 1 << 24;

// A golden folder under another name: keys of config.json, pieces of tensors' names, tensors beside them.
struct Disguise {
  std::string folder;
  boost::json::object keys;
  std::vector<std::pair<std::string, std::string>> names = {};
  std::vector<std::pair<std::string, std::string>> copies = {};  // A tensor once more, under another name.
  std::vector<std::pair<std::string, std::vector<uint64_t>>> ones = {};
};

std::string spelled(std::string name, const std::vector<std::pair<std::string, std::string>>& pieces) {
  for (const auto& [from, to] : pieces)
    if (const size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  return name;
}

std::unique_ptr<io::Disk> dressed(const Disguise& disguise) {
  const auto from = io::open_posix_disk("tests/golden/models").value();
  auto to = io::make_memory_disk();
  const io::Path folder(disguise.folder);
  boost::json::object config =
      codec::parse_json_object(io::read_text(*from, folder / "config.json", bytes_max).value()).value();
  for (const auto& [key, value] : disguise.keys) config[key] = value;
  EXPECT_TRUE(io::publish_text(*to, "config.json", boost::json::serialize(config)).ok());
  const auto weights = tensor::Weights::open(*from, folder).value();
  std::vector<codec::SafetensorsTensor> tensors;
  std::vector<std::vector<float>> filled;
  filled.reserve(disguise.ones.size());
  const auto add = [&](std::string name, const tensor::TensorView& view) {
    tensors.push_back({std::move(name), view.dtype, view.shape, view.bytes});
  };
  for (const std::string& name : weights.names()) add(spelled(name, disguise.names), *weights.find(name));
  for (const auto& [piece, other] : disguise.copies)
    for (const std::string& name : weights.names())
      if (name.find(piece) != std::string::npos)
        add(spelled(spelled(name, {{piece, other}}), disguise.names), *weights.find(name));
  for (const auto& [name, shape] : disguise.ones) {
    size_t count = 1;
    for (uint64_t size : shape) count *= size;
    filled.emplace_back(count, 1.0F);
    tensors.push_back({name, tensor::Dtype::f32, shape, std::as_bytes(std::span(filled.back()))});
  }
  const Bytes file = codec::write_safetensors(tensors).value();
  EXPECT_TRUE(io::publish_text(*to, "model.safetensors", as_text(file)).ok());
  return to;
}

TokenBatch texts(const EncoderPlan& plan) {
  TokenBatch batch;
  const size_t known = std::min<size_t>(plan.vocabulary, 105) - 5;
  for (size_t length : {1, 7, 30}) {
    std::vector<int64_t> ids;
    for (size_t i = 0; i < length; ++i) ids.push_back(static_cast<int64_t>(5 + (i * 37 + length) % known));
    const std::vector<int64_t> positions = positions_of(plan, ids);
    for (size_t i = 0; i < length; ++i) batch.add(ids[i], 0, positions[i], static_cast<int64_t>(i));
    batch.end_sequence(length);
  }
  return batch;
}

void expect_near(std::span<const float> left, std::span<const float> right) {
  ASSERT_EQ(left.size(), right.size());
  float most = 0, worst = 0;
  for (size_t i = 0; i < left.size(); ++i) {
    most = std::max(most, std::abs(left[i]));
    worst = std::max(worst, std::abs(left[i] - right[i]));
  }
  EXPECT_GT(most, 0);
  EXPECT_LE(worst, 2e-6F * most);
}

boost::json::object judges(std::string_view name) {
  return {{"architectures", boost::json::array{std::string(name) + "ForSequenceClassification"}}};
}

void expect_same_answers(const Disguise& plain, const Disguise& other) {
  SCOPED_TRACE(other.folder + " as " + boost::json::serialize(other.keys));
  const auto threads = tensor::make_threads(1);
  const auto disk = dressed(plain), second = dressed(other);
  const auto model = EncoderModel::open(*disk, ""), kin = EncoderModel::open(*second, "");
  ASSERT_TRUE(model.ok()) << model.error().message;
  ASSERT_TRUE(kin.ok()) << kin.error().message;
  const TokenBatch batch = texts(model.value().plan());
  const auto wanted = model.value().forward(batch, *threads), got = kin.value().forward(batch, *threads);
  ASSERT_TRUE(wanted.ok() && got.ok());
  ASSERT_EQ(wanted.value().size(), got.value().size());
  for (size_t i = 0; i < wanted.value().size(); ++i) {
    EXPECT_EQ(wanted.value()[i].name, got.value()[i].name);
    expect_near({wanted.value()[i].data.data(), wanted.value()[i].data.size()},
                {got.value()[i].data.data(), got.value()[i].data.size()});
  }
}

TEST(KindredFamilies, LongformerWithAWideWindowIsRoberta) {
  boost::json::object keys = judges("Longformer");
  keys["model_type"] = "longformer";
  keys["attention_window"] = 128;
  expect_same_answers({.folder = "roberta/sequence-classification", .keys = {}},
                      {.folder = "roberta/sequence-classification",
                       .keys = keys,
                       .names = {{"roberta.", "longformer."}},
                       .copies = {{"self.query.", "self.query_global."},
                                  {"self.key.", "self.key_global."},
                                  {"self.value.", "self.value_global."}}});
}

TEST(KindredFamilies, LongformerWithANarrowWindowIsNot) {
  boost::json::object keys = judges("Longformer");
  keys["model_type"] = "longformer";
  keys["attention_window"] = 2;
  const auto threads = tensor::make_threads(1);
  const auto disk = dressed({.folder = "roberta/sequence-classification", .keys = {}});
  const auto other = dressed({.folder = "roberta/sequence-classification",
                              .keys = keys,
                              .names = {{"roberta.", "longformer."}},
                              .copies = {{"self.query.", "self.query_global."},
                                         {"self.key.", "self.key_global."},
                                         {"self.value.", "self.value_global."}}});
  const auto model = EncoderModel::open(*disk, ""), kin = EncoderModel::open(*other, "");
  ASSERT_TRUE(kin.ok()) << kin.error().message;
  const TokenBatch batch = texts(model.value().plan());
  const auto wanted = model.value().forward(batch, *threads).value(),
             got = kin.value().forward(batch, *threads).value();
  EXPECT_NE(std::memcmp(wanted[0].data.data(), got[0].data.data(), wanted[0].data.size() * sizeof(float)), 0);
}

TEST(KindredFamilies, MobileBertWithoutBottlenecksIsBert) {
  const boost::json::object alike = {{"layer_norm_eps", 1e-5}};
  expect_same_answers({.folder = "bert/base", .keys = alike},
                      {.folder = "bert/base",
                       .keys = {{"model_type", "mobilebert"},
                                {"architectures", boost::json::array{"MobileBertModel"}},
                                {"layer_norm_eps", 1e-5},
                                {"embedding_size", 32},
                                {"trigram_input", false},
                                {"use_bottleneck", false},
                                {"num_feedforward_networks", 1},
                                {"normalization_type", "layer_norm"}}});
}

// Published checkpoints call the head's words "cls"; left aside, those that texts are read by would stand in.
TEST(KindredFamilies, UltraBertsHeadHasWordsOfItsOwnUnderEitherName) {
  const auto ultra = [](std::string_view words) {
    return Disguise{.folder = "eurobert/words",
                    .keys = {{"model_type", "ultrabert"},
                             {"architectures", boost::json::array{"UltrabertForMaskedLM"}},
                             {"prediction_head_size", 8}},
                    .names = {{"lm_head", std::string(words)}},
                    .ones = {{"head.linear1.weight", {8, 16}}, {"head.linear2.weight", {16, 8}}}};
  };
  expect_same_answers(ultra("head.decoder"), ultra("cls"));
}

Disguise long_t5(std::string_view kind, size_t radius, size_t block) {
  const bool local = kind == "local";
  const std::string self = local ? "LocalSelfAttention" : "TransientGlobalSelfAttention";
  Disguise out{.folder = "t5/flan-gated-gelu",
               .keys = {{"model_type", "longt5"},
                        {"encoder_attention_type", kind},
                        {"local_radius", radius},
                        {"global_block_size", block}}};
  // Of the encoder alone: the decoder's is T5's.
  for (const char* layer : {"0", "1", "2"}) {
    const std::string at = std::string("encoder.block.") + layer + ".layer.0.";
    out.names.emplace_back(at + "SelfAttention.", at + self + ".");
    if (!local) out.ones.push_back({at + self + ".global_input_layer_norm.weight", {32}});
  }
  if (!local)
    out.ones.push_back(
        {"encoder.block.0.layer.0." + self + ".global_relative_attention_bias.weight", {8, 4}});
  return out;
}

TEST(KindredFamilies, LongT5WithAWideWindowAndNoWholeBlockIsT5) {
  const auto threads = tensor::make_threads(1);
  const auto disk = dressed({.folder = "t5/flan-gated-gelu", .keys = {}});
  const auto model = Seq2SeqModel::open(*disk, "");
  ASSERT_TRUE(model.ok()) << model.error().message;
  const TokenBatch batch = texts(model.value().plan().encoder);
  const auto wanted = model.value().encode(batch, *threads).value();
  for (const char* kind : {"local", "transient-global"}) {
    SCOPED_TRACE(kind);
    const auto other = dressed(long_t5(kind, 63, 64));
    const auto kin = Seq2SeqModel::open(*other, "");
    ASSERT_TRUE(kin.ok()) << kin.error().message;
    const auto got = kin.value().encode(batch, *threads).value();
    expect_near({wanted.data(), wanted.size()}, {got.data(), got.size()});
  }
}

// The same sequence, whatever stands beside it, through windows that several calls of attention share.
TEST(KindredFamilies, LongT5sBitsDoNotHangOnTheBatch) {
  const auto threads = tensor::make_threads(2), one = tensor::make_threads(1);
  const auto disk = dressed(long_t5("transient-global", 3, 4));
  const auto model = Seq2SeqModel::open(*disk, "");
  ASSERT_TRUE(model.ok()) << model.error().message;
  const TokenBatch batch = texts(model.value().plan().encoder);
  const auto together = model.value().encode(batch, *threads).value();
  const size_t width = model.value().plan().encoder.width;
  for (size_t i = 0; i < batch.sequences(); ++i) {
    TokenBatch alone;
    for (size_t row = batch.starts[i]; row < batch.starts[i + 1]; ++row)
      alone.add(batch.ids[row], 0, batch.positions[row], batch.columns[row]);
    alone.end_sequence(batch.length(i));
    const auto got = model.value().encode(alone, *one).value();
    EXPECT_EQ(std::memcmp(got.data(), together.data() + batch.starts[i] * width, got.size() * sizeof(float)),
              0);
  }
}

TEST(KindredFamilies, WhatAConfigurationAsksForAndIsNotThereIsRefusedByItsName) {
  struct Row {
    const char* folder;
    boost::json::object keys;
    const char* said;
    bool writes = false;
  };
  const boost::json::array xlm = {"XLMForQuestionAnswering"};
  const Row rows[] = {
      {"roberta/sequence-classification",
       {{"model_type", "longformer"}, {"attention_window", 7}},
       "attention_window"},
      {"roberta/sequence-classification",
       {{"model_type", "longformer"}, {"attention_window", boost::json::array{4}}},
       "attention_window"},
      {"bert/base", {{"model_type", "xlm"}, {"causal", true}}, "causal"},
      {"bert/base", {{"model_type", "xlm"}, {"asm", true}}, "asm"},
      {"bert/base", {{"model_type", "flaubert"}, {"is_encoder", false}}, "is_encoder"},
      {"bert/base", {{"model_type", "xlm"}, {"architectures", xlm}}, "SQuADHead"},
      {"bert/base",
       {{"model_type", "mobilebert"}, {"embedding_size", 32}, {"normalization_type", "batch"}},
       "normalization_type"},
      {"bert/base", {{"model_type", "convbert"}, {"conv_kernel_size", 4}}, "conv_kernel_size"},
      {"bert/base", {{"model_type", "convbert"}, {"num_groups", 3}}, "num_groups"},
      {"bert/base", {{"model_type", "nystromformer"}, {"num_landmarks", 4}}, "num_landmarks"},
      {"bert/base",
       {{"model_type", "nystromformer"}, {"inv_coeff_init_option", true}},
       "inv_coeff_init_option"},
      {"bert/base", {{"model_type", "nystromformer"}, {"conv_kernel_size", 4}}, "conv_kernel_size"},
      {"bert/base", {{"model_type", "xmod"}, {"default_language", "xx"}}, "default_language"},
      {"bert/base",
       {{"model_type", "splinter"}, {"architectures", boost::json::array{"SplinterForPreTraining"}}},
       "Splinter"},
      {"bert/base", {{"model_type", "canine"}, {"num_hash_functions", 5}}, "num_hash_functions"},
      {"bert/base", {{"model_type", "canine"}, {"num_hash_functions", 17}}, "num_hash_functions"},
      {"bert/base", {{"model_type", "canine"}, {"downsampling_rate", 0}}, "downsampling_rate"},
      {"bert/base", {{"model_type", "canine"}, {"local_transformer_stride", -1}}, "local_transformer_stride"},
      {"bert/base",
       {{"model_type", "canine"}, {"architectures", boost::json::array{"CanineForMaskedLM"}}},
       "Canine"},
      {"bert/base", {{"model_type", "modernbert-decoder"}, {"local_attention", 1}}, "local_attention"},
      {"bert/base", {{"model_type", "xlnet"}, {"attn_type", "uni"}}, "attn_type"},
      {"bert/base", {{"model_type", "xlnet"}, {"bi_data", true}}, "bi_data"},
      {"bart/sequence-classification", {{"model_type", "mvp"}, {"use_prompt", true}}, "use_prompt", true},
      {"t5/flan-gated-gelu",
       {{"model_type", "switch_transformers"}, {"router_dtype", "bfloat16"}},
       "router_dtype",
       true},
      {"t5/flan-gated-gelu",
       {{"model_type", "switch_transformers"}, {"expert_capacity", -3}},
       "expert_capacity",
       true},
      {"t5/flan-gated-gelu",
       {{"model_type", "longt5"}, {"encoder_attention_type", "all"}},
       "encoder_attention_type",
       true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.said);
    const auto disk = dressed({.folder = row.folder, .keys = row.keys});
    const auto model = EncoderModel::open(*disk, "");
    const auto writer = Seq2SeqModel::open(*disk, "");
    const std::string message =
        row.writes ? (writer.ok() ? "" : writer.error().message) : (model.ok() ? "" : model.error().message);
    EXPECT_NE(message.find(row.said), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace holdfast::model
