// Model folders that lie: each is refused with a message that names what is wrong, before it can answer.
#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "codec/json.h"
#include "codec/safetensors.h"
#include "model/memory_check.h"
#include "model/text_model.h"

namespace holdfast::model {
namespace {

const io::Path golden = "tests/golden/models/feature-extraction";
constexpr uint64_t file_bytes_max = 1 << 24;

std::unique_ptr<io::Disk> copy_of(std::initializer_list<const char*> files) {
  const auto from = io::open_posix_disk(golden).value();
  auto to = io::make_memory_disk();
  for (const char* file : files)
    EXPECT_TRUE(io::publish_text(*to, file, io::read_text(*from, file, file_bytes_max).value()).ok()) << file;
  return to;
}

std::unique_ptr<io::Disk> whole_copy() {
  return copy_of({"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"});
}

boost::json::object object_of(io::Disk& disk, const char* file) {
  return codec::parse_json_object(io::read_text(disk, file, file_bytes_max).value()).value();
}

// The checkpoint again with tensors changed: `type` of their storage and a number put into one place.
void rewrite(io::Disk& disk, std::string_view name, tensor::Dtype type, const void* number, size_t at) {
  const auto weights = tensor::Weights::open(disk, "").value();
  std::vector<std::vector<std::byte>> kept;
  std::vector<codec::SafetensorsTensor> tensors;
  for (const std::string& one : weights.names()) {
    const tensor::TensorView* view = weights.find(one);
    kept.emplace_back(view->bytes.begin(), view->bytes.end());
    tensor::Dtype dtype = view->dtype;
    if (one == name) {
      const size_t size = codec::dtype_bits(type) / 8;
      kept.back().assign(view->elements() * size, std::byte{0});
      std::memcpy(kept.back().data() + at * size, number, size);
      dtype = type;
    }
    tensors.push_back({one, dtype, view->shape, {}});
  }
  for (size_t i = 0; i < tensors.size(); ++i) tensors[i].bytes = kept[i];
  const Bytes file = codec::write_safetensors(tensors).value();
  ASSERT_TRUE(io::publish_text(disk, "model.safetensors", as_text(file)).ok());
}

std::string name_ending(io::Disk& disk, std::string_view end) {
  const auto weights = tensor::Weights::open(disk, "").value();
  for (const std::string& name : weights.names())
    if (name.ends_with(end)) return name;
  ADD_FAILURE() << "no tensor ends in " << end;
  return {};
}

TEST(HostileModel, TheCopyItselfLoads) {
  const auto disk = whole_copy();
  const auto model = TextModel::open(*disk, "");
  ASSERT_TRUE(model.ok()) << model.error().message;
}

TEST(HostileModel, ATokenizerWithMoreTokensThanTheTableIsRefused) {
  const auto disk = whole_copy();
  auto document = object_of(*disk, "tokenizer.json");
  auto& words = document.at("model").as_object().at("vocab").as_object();
  words["surplus"] = static_cast<int64_t>(words.size());
  ASSERT_TRUE(io::publish_text(*disk, "tokenizer.json", codec::to_text(document)).ok());
  const auto model = TextModel::open(*disk, "");
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().reason, Reason::bad_request);
  EXPECT_NE(model.error().message.find("the tokenizer has 191 tokens, the model's table only 190"),
            std::string::npos)
      << model.error().message;
}

TEST(HostileModel, ANumberThatIsNotFiniteIsRefusedWhereverItStands) {
  const float nan = std::nanf(""), infinity = -std::numeric_limits<float>::infinity();
  const uint16_t half_nan = 0x7E00, brain_infinity = 0xFF80;
  const double wide_nan = std::nan("");
  struct Case {
    const char* tensor;
    tensor::Dtype type;
    const void* number;
  };
  const Case cases[] = {{"word_embeddings.weight", tensor::Dtype::f32, &nan},
                        {"word_embeddings.weight", tensor::Dtype::f32, &infinity},
                        {"word_embeddings.weight", tensor::Dtype::f16, &half_nan},
                        {"word_embeddings.weight", tensor::Dtype::bf16, &brain_infinity},
                        {"word_embeddings.weight", tensor::Dtype::f64, &wide_nan},
                        {"position_embeddings.weight", tensor::Dtype::f32, &nan},
                        {"token_type_embeddings.weight", tensor::Dtype::f32, &nan},
                        {"embeddings.LayerNorm.bias", tensor::Dtype::f32, &nan},
                        {"attention.self.query.weight", tensor::Dtype::f32, &nan},
                        {"output.dense.bias", tensor::Dtype::f32, &infinity}};
  for (const Case& one : cases) {
    const auto disk = whole_copy();
    const std::string name = name_ending(*disk, one.tensor);
    rewrite(*disk, name, one.type, one.number, 17);
    const auto model = EncoderModel::open(*disk, "");
    ASSERT_FALSE(model.ok()) << name;
    EXPECT_NE(model.error().message.find("holds a number that is not finite"), std::string::npos)
        << model.error().message;
    EXPECT_NE(model.error().message.find(one.tensor), std::string::npos) << model.error().message;
  }
}

TEST(HostileModel, SizesBeyondReasonAreRefusedBeforeAnythingIsMadeOfThem) {
  const char* keys[] = {"hidden_size",       "num_attention_heads",     "num_hidden_layers", "vocab_size",
                        "intermediate_size", "max_position_embeddings", "type_vocab_size"};
  const boost::json::value values[] = {INT64_MAX, 4'000'000'001,         1e300, -1e300, 0.5, -1,
                                       "16",      boost::json::object{}, true};
  for (const char* key : keys)
    for (const boost::json::value& value : values) {
      if (key == std::string_view("type_vocab_size") && value == -1) continue;  // Counts as none.
      const auto disk = whole_copy();
      auto config = object_of(*disk, "config.json");
      config[key] = value;
      ASSERT_TRUE(io::publish_text(*disk, "config.json", codec::to_text(config)).ok());
      EXPECT_FALSE(EncoderModel::open(*disk, "").ok()) << key << " = " << codec::to_text(value);
    }
}

TEST(HostileModel, AMissingTensorIsNamed) {
  const auto disk = whole_copy();
  const auto weights = tensor::Weights::open(*disk, "").value();
  const std::string gone = name_ending(*disk, "layer.0.attention.self.value.weight");
  std::vector<codec::SafetensorsTensor> tensors;
  for (const std::string& name : weights.names())
    if (name != gone)
      tensors.push_back(
          {name, weights.find(name)->dtype, weights.find(name)->shape, weights.find(name)->bytes});
  const Bytes file = codec::write_safetensors(tensors).value();
  ASSERT_TRUE(io::publish_text(*disk, "model.safetensors", as_text(file)).ok());
  const auto model = EncoderModel::open(*disk, "");
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("attention.self.value.weight"), std::string::npos)
      << model.error().message;
}

TEST(HostileModel, WeightsCutAnywhereAreRefused) {
  const auto disk = whole_copy();
  const std::string whole = io::read_text(*disk, "model.safetensors", file_bytes_max).value();
  for (const size_t size :
       {size_t{0}, size_t{7}, size_t{8}, size_t{100}, whole.size() / 2, whole.size() - 1}) {
    ASSERT_TRUE(io::publish_text(*disk, "model.safetensors", whole.substr(0, size)).ok());
    EXPECT_FALSE(EncoderModel::open(*disk, "").ok()) << size;
  }
}

TEST(HostileModel, MemoryThatIsNotThereIsToldWithBothSizes) {
  EXPECT_TRUE(check_memory(1).ok());
  const Status refused = check_memory(uint64_t{1} << 60);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::unavailable);
  EXPECT_TRUE(refused.error().message.starts_with("the model needs 1099511627776 MiB of memory, "))
      << refused.error().message;
}

TEST(HostileModel, AnOverlongInputIsToldWithBothCountsAndCutWhereAsked) {
  const auto disk = whole_copy();
  const TextModel model = TextModel::open(*disk, "").value();
  std::string text;
  for (size_t i = 0; i < 2 * model.tokens_max(); ++i) text += "film ";
  const size_t tokens = model.encode_with(text, std::nullopt, nullptr).value().size();
  const auto refused = model.encode(text, std::nullopt, LongText::refuse);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::input_too_long);
  EXPECT_NE(refused.error().message.find(std::to_string(tokens)), std::string::npos);
  EXPECT_NE(refused.error().message.find(std::to_string(model.tokens_max())), std::string::npos);
  EXPECT_EQ(model.encode(text, std::nullopt, LongText::cut).value().size(), model.tokens_max());
}

}  // namespace
}  // namespace holdfast::model
