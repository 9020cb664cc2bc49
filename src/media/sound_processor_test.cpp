#include "media/sound_processor.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>
#include <string>

#include "io/reference_data.h"
#include "media/golden_folder.h"
#include "media/mel_filters.h"
#include "media/resample_sound.h"
#include "media/sound.h"

namespace holdfast::media {
namespace {

double greatest_difference(std::span<const float> a, std::span<const float> b) {
  double most = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    most = std::max(most, std::abs(double{a[i]} - b[i]));
  return most;
}

std::string text_of(const boost::json::object& one, std::string_view key) {
  return std::string(one.at(key).as_string());
}

void check_features(const GoldenFolder& folder, const boost::json::object& one, const Sound& sound) {
  const std::string name = text_of(one, "output");
  const auto processor = SoundProcessor::parse(folder.json(text_of(one, "config")));
  ASSERT_TRUE(processor.ok()) << name << ": " << processor.error().message;
  const std::span<const float> all(sound.samples);
  std::vector<std::span<const float>> sounds{all};
  if (one.contains("slices")) {
    sounds.clear();
    for (const auto& length : one.at("slices").as_array())
      sounds.push_back(all.first(length.to_number<size_t>()));
  }
  const auto made = processor.value().run_batch(sounds);
  ASSERT_TRUE(made.ok()) << name << ": " << made.error().message;
  const Features& features = made.value();
  const auto wanted = folder.tensor<float>(name);
  const auto shape = folder.shape(name);
  ASSERT_EQ(features.shape.size(), shape.size()) << name;
  if (one.contains("full_shape")) {
    for (size_t i = 0; i < shape.size(); ++i)
      EXPECT_EQ(features.shape[i], one.at("full_shape").at(i).to_number<size_t>()) << name;
  }
  // Some files hold the first frames only.
  const size_t last = features.shape.back();
  const size_t kept = shape.back();
  ASSERT_LE(kept, last) << name;
  std::vector<float> cut;
  for (size_t row = 0; row < features.data.size() / last; ++row)
    cut.insert(cut.end(), features.data.begin() + static_cast<ptrdiff_t>(row * last),
               features.data.begin() + static_cast<ptrdiff_t>(row * last + kept));
  ASSERT_EQ(cut.size(), wanted.size()) << name;
  const double most = greatest_difference(cut, wanted);
  std::printf("%s: %g\n", name.c_str(), most);
  EXPECT_LE(most, text_of(one, "kind") == "wav2vec2" ? 1e-6 : 2e-5) << name;
  if (!one.contains("attention_mask")) return;
  const auto mask = folder.tensor<int64_t>(text_of(one, "attention_mask"));
  ASSERT_LE(mask.size(), features.mask.size()) << name;
  for (size_t i = 0; i < mask.size(); ++i) ASSERT_EQ(features.mask[i], mask[i]) << name << " at " << i;
}

void run_golden(const std::filesystem::path& path) {
  const GoldenFolder folder(path);
  ASSERT_FALSE(folder.cases().empty());
  for (const auto& row : folder.cases()) {
    const auto& one = row.as_object();
    const std::string kind = text_of(one, "kind");
    const auto sound = decode_sound(as_bytes(folder.text(text_of(one, "wav"))));
    ASSERT_TRUE(sound.ok()) << sound.error().message;
    if (kind == "decode") {
      EXPECT_EQ(sound.value().rate, one.at("sample_rate").to_number<uint32_t>());
      const auto wanted = folder.tensor<float>(text_of(one, "output"));
      ASSERT_EQ(sound.value().samples.size(), wanted.size());
      EXPECT_LE(greatest_difference(sound.value().samples, wanted), 1e-7) << text_of(one, "output");
    } else if (kind == "resample") {
      const auto made = resample(sound.value(), one.at("to").to_number<uint32_t>());
      ASSERT_TRUE(made.ok());
      const auto wanted = folder.tensor<float>(text_of(one, "output"));
      ASSERT_EQ(made.value().samples.size(), wanted.size());
      EXPECT_LE(greatest_difference(made.value().samples, wanted), 1e-6);
    } else {
      check_features(folder, one, sound.value());
    }
  }
}

TEST(SoundProcessor, ItsMelFiltersAreThoseOfTheReference) {
  const auto path = io::reference_data("models/audio-preprocessing");
  if (!path) GTEST_SKIP() << io::reference_data_missing;
  const auto wanted = GoldenFolder(*path).tensor<float>("whisper.mel_filters_80");  // [201, 80]
  const MelFilters filters({.bins = 201, .mels = 80, .lowest = 0, .highest = 8000, .rate = 16'000});
  ASSERT_EQ(wanted.size(), 201U * 80);
  for (size_t i = 0; i < wanted.size(); ++i)
    ASSERT_NEAR(filters.weight(i % 80, i / 80), wanted[i], 1e-8) << i;
}

TEST(SoundProcessor, GivesTheFeaturesOfTransformersForEveryReferenceSound) {
  const auto path = io::reference_data("models/audio-preprocessing");
  if (!path) GTEST_SKIP() << io::reference_data_missing;
  run_golden(*path);
}

TEST(SoundProcessor, AConfigurationThatCannotBeFollowedNamesItsKey) {
  struct Case {
    const char* config;
    const char* named;
  };
  const Case cases[] = {
      {R"({})", "feature_extractor_type"},
      {R"({"feature_extractor_type": "SeamlessM4TFeatureExtractor"})", "SeamlessM4TFeatureExtractor"},
      {R"({"feature_extractor_type": "WhisperFeatureExtractor", "dither": 0.1})", "dither"},
      {R"({"feature_extractor_type": "WhisperFeatureExtractor", "n_fft": 0})", "n_fft"},
      {R"({"feature_extractor_type": "WhisperFeatureExtractor", "n_fft": 60000, "chunk_length": 1})",
       "n_fft"},
      {R"({"feature_extractor_type": "WhisperFeatureExtractor", "hop_length": -1})", "hop_length"},
      {R"({"feature_extractor_type": "WhisperFeatureExtractor", "hop_length": 1, "n_fft": 65536})",
       "hop_length"},
      {R"({"feature_extractor_type": "WhisperFeatureExtractor", "feature_size": 1e300})", "feature_size"},
      {R"({"feature_extractor_type": "WhisperFeatureExtractor", "padding_value": 1e300})", "padding_value"},
      {R"({"feature_extractor_type": "WhisperFeatureExtractor", "padding_side": "middle"})", "padding_side"},
      {R"({"feature_extractor_type": "Wav2Vec2FeatureExtractor", "feature_size": 2})", "feature_size"},
      {R"({"feature_extractor_type": "Wav2Vec2FeatureExtractor", "do_normalize": 1})", "do_normalize"},
      {R"({"feature_extractor_type": "ASTFeatureExtractor", "std": 0})", "std"},
      {R"({"feature_extractor_type": "ASTFeatureExtractor", "sampling_rate": 40})", "sampling_rate"},
      {R"({"feature_extractor_type": "ASTFeatureExtractor", "max_length": 1048576, "num_mel_bins": 4096})",
       "max_length"},
  };
  for (const Case& one : cases) {
    const auto processor = SoundProcessor::parse(boost::json::parse(one.config).as_object());
    ASSERT_FALSE(processor.ok()) << one.config;
    EXPECT_NE(processor.error().message.find(one.named), std::string::npos)
        << one.config << ": " << processor.error().message;
  }
}

TEST(SoundProcessor, NoSoundAndWhatIsNotFiniteAreRefused) {
  const auto processor = SoundProcessor::parse({}, "hubert");
  ASSERT_TRUE(processor.ok());
  EXPECT_EQ(processor.value().type(), "Wav2Vec2FeatureExtractor");
  EXPECT_EQ(processor.value().run({}).error().reason, Reason::bad_request);
  EXPECT_EQ(processor.value().run(std::vector<float>{1, NAN}).error().reason, Reason::bad_request);
  EXPECT_EQ(processor.value().run_batch({}).error().reason, Reason::bad_request);
  const auto ast = SoundProcessor::parse({}, "audio-spectrogram-transformer");
  ASSERT_TRUE(ast.ok());
  EXPECT_EQ(ast.value().run(std::vector<float>(399)).error().reason, Reason::bad_request);
  EXPECT_TRUE(ast.value().run(std::vector<float>(400)).ok());
}

}  // namespace
}  // namespace holdfast::media
