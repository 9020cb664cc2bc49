// The Audio Spectrogram Transformer's filter bank: Kaldi's windows of 25 ms every 10 ms, whatever the rate
// says.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <numbers>
#include <utility>

#include "codec/json.h"
#include "media/fourier.h"
#include "media/mel_filters.h"
#include "media/sound_features.h"

namespace holdfast::media {
namespace {

constexpr size_t window_samples = 400;
constexpr size_t hop_samples = 160;
constexpr size_t fourier_samples = 512;
constexpr double preemphasis = 0.97;
constexpr double floor_power = 1.192092955078125e-07;
constexpr double lowest_hertz = 20;

struct Options {
  uint32_t rate = 16'000;
  size_t mels = 128;
  size_t frames = 1024;
  bool normalizes = true;
  double mean = -4.2677393;
  double deviation = 4.5689974;
};

class AstFeatures final : public SoundFeatures {
 public:
  explicit AstFeatures(const Options& options)
      : options_(options),
        fourier_(fourier_samples),
        filters_({.bins = fourier_.bins(),
                  .mels = options.mels,
                  .lowest = lowest_hertz,
                  .highest = static_cast<double>(options.rate / 2),
                  .rate = options.rate,
                  .scale = MelScale::kaldi}),
        window_(window_samples) {
    for (size_t i = 0; i < window_.size(); ++i)
      window_[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                        static_cast<double>(window_.size() - 1));
  }

  std::string_view type() const override { return "ASTFeatureExtractor"; }
  uint32_t sampling_rate() const override { return options_.rate; }
  size_t window() const override { return window_samples + (options_.frames - 1) * hop_samples; }

  Result<Features> run(std::span<const std::span<const float>> sounds) const override {
    const size_t one = options_.frames * options_.mels;
    if (sounds.size() > feature_values_max / one)
      return fail(Reason::body_too_large, fmt::format("{} sounds are too many for one batch", sounds.size()));
    Features features{.name = "input_values",
                      .shape = {sounds.size(), options_.frames, options_.mels},
                      .data = {},
                      .mask = {}};
    features.data.resize(sounds.size() *
                         one);  // Frames that are not there are zeros before they are normalised.
    for (size_t i = 0; i < sounds.size(); ++i) {
      if (sounds[i].size() < window_samples)
        return fail(Reason::bad_request, fmt::format("the sound has {} samples, the model needs at least {}",
                                                     sounds[i].size(), window_samples));
      write(sounds[i], std::span(features.data).subspan(i * one, one));
    }
    if (options_.normalizes) {
      const auto mean = static_cast<float>(options_.mean);
      const auto deviation = static_cast<float>(options_.deviation * 2);
      for (float& value : features.data) value = (value - mean) / deviation;
    }
    return features;
  }

 private:
  // out: [frames, mels].
  void write(std::span<const float> sound, std::span<float> out) const {
    RealFourier::Scratch scratch;
    std::vector<double> frame(fourier_samples);  // Zeros behind the window.
    std::vector<Complex> spectrum(fourier_.bins());
    std::vector<double> power(fourier_.bins());
    const size_t frames = std::min(options_.frames, 1 + (sound.size() - window_samples) / hop_samples);
    for (size_t f = 0; f < frames; ++f) {
      const auto samples = sound.subspan(f * hop_samples, window_samples);
      double mean = 0;
      for (const float sample : samples) mean += sample;
      mean /= window_samples;
      double previous = samples[0] - mean;
      for (size_t i = 0; i < window_samples; ++i) {
        const double sample = samples[i] - mean;
        frame[i] = (sample - preemphasis * previous) * window_[i];
        previous = sample;
      }
      fourier_.run(frame, spectrum, scratch);
      for (size_t i = 0; i < power.size(); ++i)
        power[i] = spectrum[i].re * spectrum[i].re + spectrum[i].im * spectrum[i].im;
      for (size_t mel = 0; mel < options_.mels; ++mel)
        out[f * options_.mels + mel] =
            static_cast<float>(std::log(std::max(filters_.apply(mel, power), floor_power)));
    }
  }

  Options options_;
  RealFourier fourier_;
  MelFilters filters_;
  std::vector<double> window_;  // Hann's, symmetric.
};

}  // namespace

MadeSoundFeatures make_ast_features(const boost::json::object& config) {
  Options options;
  TRY(const size_t rate, count_of(config, "sampling_rate", 16'000, 768'000));
  options.rate = static_cast<uint32_t>(rate);
  TRY(options.mels, count_of(config, "num_mel_bins", 128, 4096));
  TRY(options.frames, count_of(config, "max_length", 1024, 1 << 20));
  TRY(const auto normalizes, codec::json_flag_if(config, "do_normalize"));
  options.normalizes = normalizes.value_or(true);
  TRY(options.mean, number_of(config, "mean", options.mean));
  TRY(options.deviation, number_of(config, "std", options.deviation));
  if (options.normalizes && static_cast<float>(options.deviation * 2) == 0)
    return fail(Reason::model_unsupported, "std must not be 0");
  if (static_cast<double>(rate / 2) <= lowest_hertz)
    return fail(Reason::model_unsupported, "sampling_rate is too low for filters from 20 Hz");
  if (options.frames > feature_values_max / options.mels)
    return fail(Reason::model_unsupported, "max_length and num_mel_bins make too many numbers");
  return std::unique_ptr<const SoundFeatures>(std::make_unique<AstFeatures>(options));
}

}  // namespace holdfast::media
