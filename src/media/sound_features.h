#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::media {

// What a model takes of one or more sounds: data of `shape`, whose first number counts the sounds.
struct Features {
  std::string name;  // "input_features" or "input_values".
  std::vector<size_t>
      shape;  // [B, mels, frames] (Whisper), [B, samples] (wav2vec2), [B, frames, mels] (AST).
  std::vector<float> data;
  // The attention_mask [B, frames or samples], 1 where there is sound; empty where the model is given none.
  std::vector<int64_t> mask;
};

// One type of feature extractor; a file each. Immutable. The sounds are there, and finite.
class SoundFeatures {
 public:
  virtual ~SoundFeatures() = default;
  virtual std::string_view type() const = 0;
  virtual uint32_t sampling_rate() const = 0;
  virtual size_t window() const = 0;
  virtual Result<Features> run(std::span<const std::span<const float>> sounds) const = 0;
  // One sound without cutting it to the window.
  virtual Result<Features> run_whole(std::span<const float> sound) const { return run({&sound, 1}); }
};

using MadeSoundFeatures = Result<std::unique_ptr<const SoundFeatures>>;
MadeSoundFeatures make_whisper_features(const boost::json::object& config);
MadeSoundFeatures make_wav2vec2_features(const boost::json::object& config);
MadeSoundFeatures make_ast_features(const boost::json::object& config);

constexpr size_t feature_values_max = size_t{1} << 27;  // Of one call.

// A whole number of a configuration, from 1; `otherwise` where it is missing. Errors name the key.
Result<size_t> count_of(const boost::json::object& config, std::string_view key, size_t otherwise,
                        size_t most);
// A number that a float can hold.
Result<double> number_of(const boost::json::object& config, std::string_view key, double otherwise);

// How short sounds are filled up.
struct Padding {
  float value = 0;
  bool left = false;
};
Result<Padding> padding_of(const boost::json::object& config);

}  // namespace holdfast::media
