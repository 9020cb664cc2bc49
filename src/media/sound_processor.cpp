#include "media/sound_processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <optional>

#include "codec/json.h"

namespace holdfast::media {
namespace {

namespace json = boost::json;

struct Row {
  std::string_view type;
  MadeSoundFeatures (*make)(const json::object&);
};

constexpr Row rows[] = {{"WhisperFeatureExtractor", make_whisper_features},
                        {"Wav2Vec2FeatureExtractor", make_wav2vec2_features},
                        {"ASTFeatureExtractor", make_ast_features}};

constexpr std::pair<std::string_view, std::string_view> of_models[] = {
    {"whisper", "WhisperFeatureExtractor"},
    {"wav2vec2", "Wav2Vec2FeatureExtractor"},
    {"wav2vec2-conformer", "Wav2Vec2FeatureExtractor"},
    {"hubert", "Wav2Vec2FeatureExtractor"},
    {"wavlm", "Wav2Vec2FeatureExtractor"},
    {"unispeech", "Wav2Vec2FeatureExtractor"},
    {"unispeech-sat", "Wav2Vec2FeatureExtractor"},
    {"data2vec-audio", "Wav2Vec2FeatureExtractor"},
    {"sew", "Wav2Vec2FeatureExtractor"},
    {"sew-d", "Wav2Vec2FeatureExtractor"},
    {"audio-spectrogram-transformer", "ASTFeatureExtractor"},
};

Status check_sound(std::span<const float> sound) {
  if (sound.empty()) return fail(Reason::bad_request, "the sound has no samples");
  if (!std::ranges::all_of(sound, [](float sample) { return std::isfinite(sample); }))
    return fail(Reason::bad_request, "the sound holds a sample that is not finite");
  return Done{};
}

Error not_here(std::string message) { return fail(Reason::model_unsupported, std::move(message)); }

}  // namespace

Result<size_t> count_of(const json::object& config, std::string_view key, size_t otherwise, size_t most) {
  TRY(const auto value, codec::json_integer_if(config, key));
  if (!value) return otherwise;
  if (*value < 1 || static_cast<uint64_t>(*value) > most)
    return not_here(fmt::format("{} must be from 1 to {}", key, most));
  return static_cast<size_t>(*value);
}

Result<double> number_of(const json::object& config, std::string_view key, double otherwise) {
  TRY(const auto value, codec::json_number_if(config, key));
  if (!value) return otherwise;
  if (!std::isfinite(static_cast<float>(*value)))
    return not_here(fmt::format("{} is too large a number", key));
  return *value;
}

Result<Padding> padding_of(const json::object& config) {
  Padding padding;
  TRY(const double value, number_of(config, "padding_value", 0));
  padding.value = static_cast<float>(value);
  TRY(const auto side, codec::json_text_if(config, "padding_side"));
  if (side && *side != "left" && *side != "right") return not_here("padding_side must be left or right");
  padding.left = side == "left";
  return padding;
}

Result<SoundProcessor> SoundProcessor::parse(const json::object& config, std::string_view model_type) {
  TRY(const auto given, codec::json_text_if(config, "feature_extractor_type"));
  std::string_view type = given.value_or("");
  if (!given) {
    const auto row = std::ranges::find(of_models, model_type, [](const auto& pair) { return pair.first; });
    if (row == std::end(of_models)) return not_here("the configuration does not say feature_extractor_type");
    type = row->second;
  }
  const auto row = std::ranges::find(rows, type, &Row::type);
  if (row == std::end(rows))
    return not_here(
        fmt::format("feature extractors of the type {} cannot be run here: "
                    "WhisperFeatureExtractor, Wav2Vec2FeatureExtractor and ASTFeatureExtractor can",
                    type));
  TRY(auto kind, row->make(config));
  return SoundProcessor(std::move(kind));
}

Result<Features> SoundProcessor::run(std::span<const float> samples) const {
  return run_batch({&samples, 1});
}

Result<Features> SoundProcessor::run_whole(std::span<const float> samples) const {
  TRY_DONE(check_sound(samples));
  return kind_->run_whole(samples);
}

Result<Features> SoundProcessor::run_batch(std::span<const std::span<const float>> sounds) const {
  if (sounds.empty()) return fail(Reason::bad_request, "there are no sounds");
  for (const auto& sound : sounds) TRY_DONE(check_sound(sound));
  return kind_->run(sounds);
}

}  // namespace holdfast::media
