// wav2vec2 and its kin take the samples themselves, at most brought to mean zero and variance one.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <utility>

#include "codec/json.h"
#include "media/sound_features.h"

namespace holdfast::media {
namespace {

struct Options {
  uint32_t rate = 16'000;
  bool normalizes = true;
  bool masks = false;
  Padding padding;
};

void normalize(std::span<float> row, std::span<const float> heard) {
  double sum = 0;
  for (const float sample : heard) sum += sample;
  const double mean = sum / static_cast<double>(heard.size());
  double squares = 0;
  for (const float sample : heard) squares += (sample - mean) * (sample - mean);
  const double deviation = std::sqrt(squares / static_cast<double>(heard.size()) + 1e-7);
  for (float& sample : row) sample = static_cast<float>((sample - mean) / deviation);
}

class Wav2Vec2Features final : public SoundFeatures {
 public:
  explicit Wav2Vec2Features(const Options& options) : options_(options) {}

  std::string_view type() const override { return "Wav2Vec2FeatureExtractor"; }
  uint32_t sampling_rate() const override { return options_.rate; }
  size_t window() const override { return 0; }

  Result<Features> run(std::span<const std::span<const float>> sounds) const override {
    size_t longest = 0;
    for (const auto& sound : sounds) longest = std::max(longest, sound.size());
    if (sounds.size() > feature_values_max / longest)
      return fail(
          Reason::body_too_large,
          fmt::format("{} sounds of up to {} samples are too many for one batch", sounds.size(), longest));
    Features features{.name = "input_values", .shape = {sounds.size(), longest}, .data = {}, .mask = {}};
    features.data.assign(sounds.size() * longest, options_.padding.value);
    if (options_.masks) features.mask.resize(sounds.size() * longest);
    for (size_t i = 0; i < sounds.size(); ++i) {
      const size_t length = sounds[i].size();
      const size_t before = options_.padding.left ? longest - length : 0;
      const auto row = std::span(features.data).subspan(i * longest, longest);
      std::ranges::copy(sounds[i], row.begin() + static_cast<ptrdiff_t>(before));
      if (options_.masks)
        std::fill_n(features.mask.begin() + static_cast<ptrdiff_t>(i * longest + before), length, 1);
      if (!options_.normalizes) continue;
      // Without a mask the filling counts, and with one the first samples do, wherever the sound lies: so the
      // models were trained.
      normalize(row,
                options_.masks ? std::span<const float>(row.first(length)) : std::span<const float>(row));
      if (options_.masks) std::ranges::fill(row.subspan(length), options_.padding.value);
    }
    return features;
  }

 private:
  Options options_;
};

}  // namespace

MadeSoundFeatures make_wav2vec2_features(const boost::json::object& config) {
  Options options;
  TRY(const size_t size, count_of(config, "feature_size", 1, 4096));
  if (size != 1) return fail(Reason::model_unsupported, "feature_size must be 1");
  TRY(const size_t rate, count_of(config, "sampling_rate", 16'000, 768'000));
  options.rate = static_cast<uint32_t>(rate);
  TRY(const auto normalizes, codec::json_flag_if(config, "do_normalize"));
  options.normalizes = normalizes.value_or(true);
  TRY(const auto masks, codec::json_flag_if(config, "return_attention_mask"));
  options.masks = masks.value_or(false);
  TRY(options.padding, padding_of(config));
  return std::unique_ptr<const SoundFeatures>(std::make_unique<Wav2Vec2Features>(options));
}

}  // namespace holdfast::media
