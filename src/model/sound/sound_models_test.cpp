// Models that read sounds: the reference data's, in every precision, and bits that do not depend on the
// batch.
#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "codec/json.h"
#include "io/reference_data.h"
#include "model/any_model.h"
#include "model/families/signals.h"

namespace holdfast::model {
namespace {

constexpr tensor::Precision precisions[] = {tensor::Precision::f32, tensor::Precision::bf16,
                                            tensor::Precision::int8};
constexpr const char* folders[] = {"wav2vec2/base-group", "wav2vec2/large-layer-stable",
                                   "wav2vec2/audio-classification", "whisper/base",
                                   "audio-spectrogram-transformer/base"};

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += static_cast<double>(b[i]) * b[i];
  }
  return ab / std::sqrt(aa * bb);
}

void expect_near(const NamedTensor& got, const std::vector<float>& expected, tensor::Precision precision) {
  ASSERT_EQ(got.data.size(), expected.size());
  double worst = 0, scale = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    scale = std::max(scale, std::abs(static_cast<double>(expected[i])));
    worst = std::max(worst, std::abs(static_cast<double>(expected[i]) - got.data[i]));
  }
  switch (precision) {
    case tensor::Precision::f32:
      EXPECT_LE(worst, 2e-5 * scale);  // A fifth of what is asked.
      return;
    case tensor::Precision::bf16:
      EXPECT_GE(cosine(got.data, expected), 0.999);
      return;
    case tensor::Precision::int8:
      EXPECT_GE(cosine(got.data, expected), 0.99);
      return;
  }
}

// Every forward case of one model folder.
void expect_folder(io::Disk& disk, const io::Path& folder, tensor::Compute compute) {
  SCOPED_TRACE(folder.string() + " " + std::string(tensor::isa_name(compute.isa)) + " " +
               std::string(tensor::precision_name(compute.precision)));
  const auto threads = tensor::make_threads(2);
  const auto model = AnyModel::open(disk, folder, compute);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto golden = tensor::Weights::open_file(disk, folder / "golden.safetensors").value();
  const std::string text = io::read_text(disk, folder / "golden.json", 1 << 20).value();
  const boost::json::object json = codec::parse_json_object(text).value();
  for (const boost::json::value& value : json.at("cases").as_array()) {
    const boost::json::object& one = value.as_object();
    if (one.at("kind").as_string() != "forward") continue;
    const std::string name(one.at("name").as_string());
    SCOPED_TRACE(name);
    const auto got = model.value().forward(tensor::Weights::renamed(golden, name + ".in."), *threads);
    ASSERT_TRUE(got.ok()) << got.error().message;
    const boost::json::object& outputs = one.at("outputs").as_object();
    for (const auto& [output, where] : outputs) {
      const auto found = std::find_if(got.value().begin(), got.value().end(),
                                      [&](const NamedTensor& t) { return t.name == output; });
      ASSERT_NE(found, got.value().end()) << output;
      const tensor::TensorView* view = golden.find(where.as_string());
      EXPECT_EQ(found->shape, view->shape) << output;
      if (view->dtype == tensor::Dtype::i64) {
        EXPECT_TRUE(found->whole);
        const auto counts = tensor::to_integers(*view).value();
        EXPECT_EQ(std::vector<int64_t>(found->data.begin(), found->data.end()), counts) << output;
      } else {
        expect_near(*found, tensor::to_floats(*view).value(), compute.precision);
      }
    }
  }
}

TEST(SoundModels, EveryGoldenOfTheReferenceDataIsReachedInEveryPrecision) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  for (const char* folder : folders) {
    for (tensor::Precision precision : precisions) expect_folder(*disk, folder, {.precision = precision});
    for (tensor::Isa isa : tensor::isas_of_this_machine()) expect_folder(*disk, folder, {.isa = isa});
  }
}

TEST(SoundModels, TheCommittedGoldenIsReachedInEveryPrecisionOnEveryInstructionSet) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  for (tensor::Precision precision : precisions)
    for (tensor::Isa isa : tensor::isas_of_this_machine())
      expect_folder(*disk, "wavlm/voices", {.isa = isa, .precision = precision});
}

// Arguments of a call, in memory of its own.
struct Arguments {
  std::vector<uint64_t> shape;
  std::vector<float> samples;
  std::vector<int64_t> mask;  // Empty: none.
  std::string name = "input_values";

  tensor::Weights weights() const {
    std::vector<std::pair<std::string, tensor::TensorView>> out;
    out.emplace_back(name, tensor::TensorView{tensor::Dtype::f32, shape, std::as_bytes(std::span(samples))});
    if (!mask.empty())
      out.emplace_back("attention_mask",
                       tensor::TensorView{tensor::Dtype::i64, shape, std::as_bytes(std::span(mask))});
    return tensor::Weights::borrowed(std::move(out));
  }
};

// Sounds of these lengths in one padded batch, the padding hidden by the mask and full of noise.
Arguments padded(const std::vector<size_t>& lengths, size_t width, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  Arguments out{{lengths.size(), width}, {}, {}};
  for (size_t length : lengths)
    for (size_t i = 0; i < width; ++i) {
      out.samples.push_back(normal(random));
      out.mask.push_back(i < length ? 1 : 0);
    }
  return out;
}

Arguments row_of(const Arguments& all, size_t row, size_t length) {
  const size_t width = all.shape[1];
  const auto first = all.samples.begin() + static_cast<ptrdiff_t>(row * width);
  return {{1, length}, {first, first + static_cast<ptrdiff_t>(length)}, {}};
}

TEST(SoundModels, ASoundsBitsAreThoseItHasAlone) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  const auto one = tensor::make_threads(1), two = tensor::make_threads(2);
  // Norms of frames. (With a norm over time, a sound's numbers depend on its own padding, as in
  // transformers.)
  for (const char* folder : {"wav2vec2/large-layer-stable", "wav2vec2/audio-classification"})
    for (tensor::Precision precision : precisions)
      for (uint64_t seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE(std::string(folder) + " seed " + std::to_string(seed));
        const auto model = AnyModel::open(*disk, folder, {.precision = precision}).value();
        const std::vector<size_t> lengths = {900 + 37 * seed, 2'600, 41, 1'500 - seed};
        const Arguments all = padded(lengths, 2'600, seed);
        const auto together = model.forward(all.weights(), *two).value();
        for (size_t row = 0; row < lengths.size(); ++row) {
          const Arguments own = row_of(all, row, lengths[row]);
          const auto alone = model.forward(own.weights(), *one).value();
          ASSERT_EQ(alone[0].name, "logits");
          const size_t each = together[0].data.size() / lengths.size();
          EXPECT_EQ(std::memcmp(alone[0].data.data(), together[0].data.data() + row * each,
                                alone[0].data.size() * sizeof(float)),
                    0)
              << row;
        }
      }
}

TEST(SoundModels, ASoundsBitsDoNotDependOnItsNeighboursWhereTimeIsNormed) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  const auto one = tensor::make_threads(1), two = tensor::make_threads(2);
  const auto model = AnyModel::open(*disk, "wav2vec2/base-group", {}).value();
  const Arguments all = padded({20'000, 20'000, 20'000}, 20'000, 5);  // More frames than one piece has.
  const auto together = model.forward(all.weights(), *two).value();
  for (size_t row = 0; row < 3; ++row) {
    const auto alone = model.forward(row_of(all, row, 20'000).weights(), *one).value();
    const size_t each = together[0].data.size() / 3;
    ASSERT_EQ(each, alone[0].data.size());
    EXPECT_EQ(std::memcmp(alone[0].data.data(), together[0].data.data() + row * each, each * sizeof(float)),
              0);
  }
}

TEST(SoundModels, RefusesWhatDoesNotFitWithTheNumbers) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  const auto threads = tensor::make_threads(1);
  const auto refusal = [&](const char* folder, const Arguments& arguments) {
    const auto got = AnyModel::open(*disk, folder, {}).value().forward(arguments.weights(), *threads);
    EXPECT_FALSE(got.ok());
    if (got.ok()) return std::string();
    EXPECT_EQ(got.error().reason, Reason::bad_request) << got.error().message;
    return got.error().message;
  };
  const char* letters = "wav2vec2/large-layer-stable";
  EXPECT_NE(refusal(letters, padded({24}, 24, 1)).find("24 samples where the convolutions need 30"),
            std::string::npos);
  EXPECT_NE(refusal(letters, padded({900, 3}, 900, 1)).find("sound 1 has 3 samples"), std::string::npos);
  Arguments broken = padded({900}, 900, 1);
  broken.samples[17] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(refusal(letters, broken).find("not finite"), std::string::npos);
  broken = padded({900}, 900, 1);
  broken.shape = {900};
  EXPECT_NE(refusal(letters, broken).find("[900]"), std::string::npos);
  broken.name = "input_features";
  EXPECT_NE(refusal(letters, broken).find("input_values is missing"), std::string::npos);
  Arguments spectrum = padded({1}, 48 * 20, 1);
  spectrum.mask.clear();
  spectrum.shape = {1, 48, 20};
  EXPECT_NE(refusal("audio-spectrogram-transformer/base", spectrum).find("48 frames and 20 bins"),
            std::string::npos);
}

boost::json::object small_config() {
  return {{"model_type", "wav2vec2"},
          {"architectures", boost::json::array{"Wav2Vec2ForCTC"}},
          {"hidden_size", 8},
          {"num_attention_heads", 2},
          {"intermediate_size", 8},
          {"num_hidden_layers", 1},
          {"conv_dim", boost::json::array{4}},
          {"conv_kernel", boost::json::array{3}},
          {"conv_stride", boost::json::array{2}},
          {"num_conv_pos_embeddings", 4},
          {"num_conv_pos_embedding_groups", 2}};
}

TEST(SoundModels, NamesTheKeysItDoesNotHonourAndTheTensorsItLacks) {
  const auto opened = [](const boost::json::object& config) {
    const SignalFamily* family = find_signal_family(config.at("model_type").as_string());
    return family->open(config, tensor::Weights::borrowed({}), {}).error();
  };
  EXPECT_NE(opened(small_config()).message.find("the weights lack 'feature_extractor.conv_layers.0"),
            std::string::npos);
  const auto with = [&](const char* key, boost::json::value value) {
    boost::json::object config = small_config();
    config[key] = std::move(value);
    return opened(config);
  };
  EXPECT_EQ(with("feat_extract_norm", "batch").reason, Reason::model_unsupported);
  EXPECT_EQ(with("feat_extract_activation", "sine").reason, Reason::model_unsupported);
  EXPECT_EQ(with("architectures", boost::json::array{"Wav2Vec2ForPreTraining"}).reason,
            Reason::model_unsupported);
  EXPECT_EQ(with("conv_dim", boost::json::array{4, 4}).reason, Reason::bad_request);
  EXPECT_EQ(with("conv_stride", boost::json::array{0}).reason, Reason::bad_request);
  EXPECT_EQ(with("num_attention_heads", 3).reason, Reason::bad_request);
  boost::json::object adapted = small_config();
  adapted["do_stable_layer_norm"] = true;
  adapted["adapter_attn_dim"] = 16;
  EXPECT_NE(opened(adapted).message.find("adapter_attn_dim"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::model
