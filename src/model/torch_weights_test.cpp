#include <gtest/gtest.h>

#include "io/temporary_folder.h"
#include "model/decoder_model.h"

namespace holdfast::model {
namespace {

std::string text_of(const io::Path& folder, std::string_view name) {
  return io::read_text(*io::open_posix_disk(folder).value(), name, 1 << 20).value();
}

const io::Path llama = "tests/golden/models/llama/gqa";

std::vector<float> logits_of(const DecoderModel& model) {
  TokenBatch batch;
  for (int64_t i = 0; i < 12; ++i) batch.add(i * 37 % 120, 0, i);
  batch.end_sequence();
  const auto threads = tensor::make_threads(1);
  const auto states = model.decoder().forward(batch, {}, *threads);
  std::vector<float> out(12 * model.head_width());
  model.run_head(states.value().last.data(), 12, out.data(), *threads);
  return out;
}

// A folder with config.json and the named files of tests/golden/torch.
class TorchWeights : public testing::Test {
 protected:
  void SetUp() override {
    disk_ = io::open_posix_disk(folder_.path()).value();
    put("config.json", text_of(llama, "config.json"));
  }
  void put(std::string_view name, std::string_view text) {
    ASSERT_TRUE(io::publish_text(*disk_, name, text).ok());
  }

  io::TemporaryFolder folder_;
  std::unique_ptr<io::Disk> disk_;
};

TEST_F(TorchWeights, GiveTheLogitsOfTheSameSafetensors) {
  EXPECT_FALSE(tensor::Weights::are_in(*disk_, "."));
  put("pytorch_model.bin", text_of("tests/golden/torch", "llama.bin"));
  EXPECT_TRUE(tensor::Weights::are_in(*disk_, "."));
  const auto model = DecoderModel::open(*disk_, ".");
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(logits_of(model.value()),
            logits_of(DecoderModel::open(*io::open_posix_disk(llama).value(), ".").value()));
}

TEST_F(TorchWeights, MayLieInShards) {
  put("pytorch_model.bin.index.json",
      R"({"weight_map":{"f32":"pytorch_model-00001-of-00001.bin","turned":"pytorch_model-00001-of-00001.bin"}})");
  put("pytorch_model-00001-of-00001.bin", text_of("tests/golden/torch", "legacy.bin"));
  const auto weights = tensor::Weights::open(*disk_, ".");
  ASSERT_TRUE(weights.ok()) << weights.error().message;
  const auto expected =
      tensor::Weights::open_file(*io::open_posix_disk("tests/golden/torch").value(), "expected.safetensors")
          .value();
  for (const std::string& name : expected.names()) {
    const tensor::TensorView *got = weights.value().find(name), *wanted = expected.find(name);
    ASSERT_NE(got, nullptr) << name;
    EXPECT_EQ(got->shape, wanted->shape) << name;
    EXPECT_TRUE(std::equal(got->bytes.begin(), got->bytes.end(), wanted->bytes.begin(), wanted->bytes.end()))
        << name;
  }
}

TEST_F(TorchWeights, GiveWayToSafetensorsAndAreRefusedWhereTheyWouldRunCode) {
  put("pytorch_model.bin", text_of("tests/golden/torch", "hostile.bin"));
  const auto model = DecoderModel::open(*disk_, ".");
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().reason, Reason::bad_request);
  EXPECT_NE(model.error().message.find("pickle: GLOBAL at byte"), std::string::npos) << model.error().message;
  put("model.safetensors", text_of(llama, "model.safetensors"));
  EXPECT_TRUE(DecoderModel::open(*disk_, ".").ok());
}

}  // namespace
}  // namespace holdfast::model
