#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "media/sound_features.h"

namespace holdfast::media {

// A preprocessor_config.json of WhisperFeatureExtractor, Wav2Vec2FeatureExtractor or ASTFeatureExtractor,
// each as transformers computes it; other types are model_unsupported by name. Immutable.
class SoundProcessor {
 public:
  // By feature_extractor_type, or the model_type of config.json where that is missing. What would change the
  // numbers and cannot be done here is model_unsupported and names the key.
  static Result<SoundProcessor> parse(const boost::json::object& preprocessor_config,
                                      std::string_view model_type = {});

  // Samples of sampling_rate(), one channel. No sample at all, or one that is not finite, is bad_request.
  Result<Features> run(std::span<const float> samples) const;
  // The same of a sound of any length, which is not cut: what Whisper hears window after window.
  Result<Features> run_whole(std::span<const float> samples) const;
  // Whisper and AST: each sound is cut or padded to the window. wav2vec2: padded to the longest.
  Result<Features> run_batch(std::span<const std::span<const float>> sounds) const;

  std::string_view type() const { return kind_->type(); }
  uint32_t sampling_rate() const { return kind_->sampling_rate(); }
  // Samples of one sound that the features come from; 0 where they come from all.
  size_t window() const { return kind_->window(); }

 private:
  explicit SoundProcessor(std::shared_ptr<const SoundFeatures> kind) : kind_(std::move(kind)) {}

  std::shared_ptr<const SoundFeatures> kind_;  // Shared by copies; nothing in it changes.
};

}  // namespace holdfast::media
