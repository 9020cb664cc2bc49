// Folders and calls that do not fit, each refused with a message.
#include "model/encoder_model.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>

#include "codec/json.h"
#include "codec/safetensors.h"
#include "model/forward.h"

namespace holdfast::model {
namespace {

const io::Path golden = "tests/golden/models/bert/base";

// A copy of the base model in memory, with one config entry replaced.
std::unique_ptr<io::Disk> copy_with(const char* key, const boost::json::value& value) {
  const auto from = io::open_posix_disk(golden).value();
  auto to = io::make_memory_disk();
  auto config = codec::parse_json_object(io::read_text(*from, "config.json", 1 << 20).value()).value();
  if (key != nullptr) config[key] = value;
  EXPECT_TRUE(io::publish_text(*to, "config.json", codec::to_text(config)).ok());
  EXPECT_TRUE(
      io::publish_text(*to, "model.safetensors", io::read_text(*from, "model.safetensors", 1 << 20).value())
          .ok());
  return to;
}

TEST(EncoderModel, RefusesConfigsThatDoNotFit) {
  struct Case {
    const char* key;
    boost::json::value value;
  };
  const Case cases[] = {
      {"model_type", "llama"},
      {"hidden_act", "swoosh"},
      {"hidden_size", 33},
      {"hidden_size", 0},
      {"num_attention_heads", 5},
      {"num_hidden_layers", 3},
      {"num_hidden_layers", 100'000},
      {"intermediate_size", -1},
      {"vocab_size", 121},
      {"max_position_embeddings", 41},
      {"is_decoder", true},
      {"position_embedding_type", "relative_key"},
      {"vocab_size", "many"},
      {"architectures", boost::json::array{"BertForMultipleChoice"}},
  };
  ASSERT_TRUE(EncoderModel::open(*copy_with(nullptr, nullptr), "").ok());
  for (const auto& [key, value] : cases)
    EXPECT_FALSE(EncoderModel::open(*copy_with(key, value), "").ok()) << key;
}

TEST(EncoderModel, RefusesAFolderWithoutWeightsOrConfig) {
  const auto empty = io::make_memory_disk();
  EXPECT_EQ(EncoderModel::open(*empty, "").error().code, Code::not_found);
  const auto half = copy_with(nullptr, nullptr);
  ASSERT_TRUE(half->remove("model.safetensors").ok());
  EXPECT_EQ(EncoderModel::open(*half, "").error().reason, Reason::entry_not_found);
}

TEST(EncoderModel, LoadsShardsByTheirIndexAndRefusesOneThatLies) {
  const auto from = io::open_posix_disk(golden).value();
  const auto whole = tensor::Weights::open(*from, "").value();
  std::vector<codec::SafetensorsTensor> halves[2];
  boost::json::object map;
  for (const std::string& name : whole.names()) {
    const tensor::TensorView& view = *whole.find(name);
    const size_t which = name.size() % 2;
    halves[which].push_back({name, view.dtype, view.shape, view.bytes});
    map[name] = which == 0 ? "a.safetensors" : "b.safetensors";
  }
  const auto disk = copy_with(nullptr, nullptr);
  ASSERT_TRUE(disk->remove("model.safetensors").ok());
  ASSERT_TRUE(
      io::publish_text(*disk, "a.safetensors", as_text(codec::write_safetensors(halves[0]).value())).ok());
  ASSERT_TRUE(
      io::publish_text(*disk, "b.safetensors", as_text(codec::write_safetensors(halves[1]).value())).ok());
  const auto publish_index = [&] {
    ASSERT_TRUE(io::publish_text(*disk, "model.safetensors.index.json",
                                 codec::to_text(boost::json::object{{"weight_map", map}}))
                    .ok());
  };
  publish_index();
  EXPECT_TRUE(EncoderModel::open(*disk, "").ok());
  map["extra"] = "a.safetensors";
  publish_index();
  EXPECT_FALSE(EncoderModel::open(*disk, "").ok()) << "promises a tensor that no shard has";
  map.erase("extra");
  map["outside"] = "../secret.safetensors";
  publish_index();
  EXPECT_FALSE(EncoderModel::open(*disk, "").ok()) << "leaves the folder";
}

TEST(Forward, RefusesInputsThatDoNotFit) {
  const auto disk = io::open_posix_disk(golden).value();
  const auto model = EncoderModel::open(*disk, "").value();
  const auto threads = tensor::make_threads(1);
  const auto run = [&](std::vector<int64_t> ids, std::vector<uint64_t> shape, std::vector<int64_t> mask) {
    const auto raw = [](const std::vector<int64_t>& numbers) {
      return ByteView(reinterpret_cast<const std::byte*>(numbers.data()), numbers.size() * sizeof(int64_t));
    };
    std::vector<codec::SafetensorsTensor> tensors = {{"input_ids", tensor::Dtype::i64, shape, raw(ids)}};
    if (!mask.empty()) tensors.push_back({"attention_mask", tensor::Dtype::i64, {1, mask.size()}, raw(mask)});
    const auto memory = io::make_memory_disk();
    EXPECT_TRUE(io::publish_text(*memory, "in", as_text(codec::write_safetensors(tensors).value())).ok());
    const auto inputs = tensor::Weights::open_file(*memory, "in").value();
    return forward(model, inputs, *threads);
  };
  EXPECT_TRUE(run({1, 2, 3}, {1, 3}, {}).ok());
  EXPECT_FALSE(run({1, 2, 120}, {1, 3}, {}).ok()) << "an id outside the vocabulary";
  EXPECT_FALSE(run({1, -2, 3}, {1, 3}, {}).ok()) << "a negative id";
  EXPECT_FALSE(run({1, 2, 3}, {3}, {}).ok()) << "one dimension";
  EXPECT_FALSE(run({1, 2, 3}, {1, 3}, {1, 1}).ok()) << "a mask of another shape";
  EXPECT_FALSE(run(std::vector<int64_t>(41, 1), {1, 41}, {}).ok()) << "more positions than the model has";
  const auto nothing = run({1, 2, 3}, {1, 3}, {0, 0, 0});
  ASSERT_TRUE(nothing.ok()) << nothing.error().message;
  for (const NamedTensor& tensor : nothing.value())
    for (float x : tensor.data) EXPECT_EQ(x, 0);
  const auto late = run({1, 2, 3}, {1, 3}, {0, 1, 1});
  ASSERT_TRUE(late.ok());
  ASSERT_EQ(late.value().size(), 2U) << "a masked first token is pooled all the same, as in transformers";
  for (const NamedTensor& tensor : late.value()) {
    if (tensor.name != "last_hidden_state") continue;
    EXPECT_EQ(tensor.data.front(), 0) << "it has no answer of its own";
  }
}

}  // namespace
}  // namespace holdfast::model
