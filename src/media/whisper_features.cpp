// Whisper's logarithm of mel energies: windows of n_fft samples around every hop_length-th sample of a chunk.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <numbers>
#include <utility>

#include "media/fourier.h"
#include "media/mel_filters.h"
#include "media/sound_features.h"

namespace holdfast::media {
namespace {

constexpr double floor_power = 1e-10;
constexpr double highest_hertz = 8000;  // Whatever the sampling rate.
constexpr float range = 8;              // Decades below the loudest that are kept.

struct Options {
  size_t mels = 80;
  uint32_t rate = 16'000;
  size_t hop = 160;
  size_t fourier = 400;
  size_t samples = 480'000;  // Of a chunk.
  Padding padding;
};

class WhisperFeatures final : public SoundFeatures {
 public:
  explicit WhisperFeatures(const Options& options)
      : options_(options),
        fourier_(options.fourier),
        filters_({.bins = fourier_.bins(),
                  .mels = options.mels,
                  .lowest = 0,
                  .highest = highest_hertz,
                  .rate = options.rate,
                  .scale = MelScale::slaney}),
        window_(options.fourier) {
    for (size_t i = 0; i < window_.size(); ++i)
      window_[i] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i) /
                                        static_cast<double>(window_.size()));
  }

  std::string_view type() const override { return "WhisperFeatureExtractor"; }
  uint32_t sampling_rate() const override { return options_.rate; }
  size_t window() const override { return options_.samples; }

  Result<Features> run(std::span<const std::span<const float>> sounds) const override {
    const size_t one = options_.mels * frames();
    if (sounds.size() > feature_values_max / one)
      return fail(Reason::body_too_large, fmt::format("{} sounds are too many for one batch", sounds.size()));
    Features features{
        .name = "input_features", .shape = {sounds.size(), options_.mels, frames()}, .data = {}, .mask = {}};
    features.data.resize(sounds.size() * one);
    features.mask.resize(sounds.size() * frames());
    for (size_t i = 0; i < sounds.size(); ++i) {
      const size_t length = std::min(sounds[i].size(), options_.samples);
      const size_t before = options_.padding.left ? options_.samples - length : 0;
      write(chunk_of(sounds[i].first(length), before, options_.samples),
            std::span(features.data).subspan(i * one, one));
      for (size_t frame = 0; frame < frames(); ++frame) {
        const size_t sample = frame * options_.hop;
        features.mask[i * frames() + frame] = sample >= before && sample < before + length ? 1 : 0;
      }
    }
    return features;
  }

  Result<Features> run_whole(std::span<const float> sound) const override {
    if (sound.size() <= options_.samples) return run({&sound, 1});
    const size_t count = sound.size() / options_.hop;
    if (count > feature_values_max / options_.mels)
      return fail(Reason::body_too_large, "the sound is too long for one call");
    Features features{.name = "input_features", .shape = {1, options_.mels, count}, .data = {}, .mask = {}};
    features.data.resize(options_.mels * count);
    features.mask.assign(count, 1);
    write(chunk_of(sound, 0, sound.size()), features.data);
    return features;
  }

 private:
  // The window after the last hop is left out, as Whisper was trained.
  size_t frames() const { return options_.samples / options_.hop; }

  // The chunk with its ends mirrored, so that the first window lies around the first sample.
  std::vector<double> chunk_of(std::span<const float> sound, size_t before, size_t samples) const {
    const size_t edge = options_.fourier / 2;
    std::vector<double> chunk(samples + 2 * edge, options_.padding.value);
    std::ranges::copy(sound, chunk.begin() + static_cast<ptrdiff_t>(edge + before));
    for (size_t i = 1; i <= edge; ++i) {
      chunk[edge - i] = chunk[edge + i];
      chunk[edge + samples - 1 + i] = chunk[edge + samples - 1 - i];
    }
    return chunk;
  }

  // out: [mels, frames].
  void write(const std::vector<double>& chunk, std::span<float> out) const {
    RealFourier::Scratch scratch;
    std::vector<double> windowed(options_.fourier);
    std::vector<Complex> spectrum(fourier_.bins());
    std::vector<double> power(fourier_.bins());
    const size_t count = out.size() / options_.mels;
    float loudest = -std::numeric_limits<float>::infinity();
    for (size_t frame = 0; frame < count; ++frame) {
      const double* samples = chunk.data() + frame * options_.hop;
      for (size_t i = 0; i < windowed.size(); ++i) windowed[i] = samples[i] * window_[i];
      fourier_.run(windowed, spectrum, scratch);
      for (size_t i = 0; i < power.size(); ++i)
        power[i] = spectrum[i].re * spectrum[i].re + spectrum[i].im * spectrum[i].im;
      for (size_t mel = 0; mel < options_.mels; ++mel) {
        const auto value = static_cast<float>(std::log10(std::max(filters_.apply(mel, power), floor_power)));
        out[mel * count + frame] = value;
        loudest = std::max(loudest, value);
      }
    }
    for (float& value : out) value = (std::max(value, loudest - range) + 4) / 4;
  }

  Options options_;
  RealFourier fourier_;
  MelFilters filters_;
  std::vector<double> window_;  // Hann's, periodic.
};

}  // namespace

MadeSoundFeatures make_whisper_features(const boost::json::object& config) {
  Options options;
  TRY(options.mels, count_of(config, "feature_size", 80, 4096));
  TRY(const size_t rate, count_of(config, "sampling_rate", 16'000, 768'000));
  options.rate = static_cast<uint32_t>(rate);
  TRY(options.hop, count_of(config, "hop_length", 160, 1 << 20));
  TRY(options.fourier, count_of(config, "n_fft", 400, 1 << 16));
  TRY(const size_t seconds, count_of(config, "chunk_length", 30, 3600));
  TRY(options.padding, padding_of(config));
  TRY(const double dither, number_of(config, "dither", 0));
  if (dither != 0) return fail(Reason::model_unsupported, "dither adds chance to the features; it must be 0");
  options.samples = seconds * rate;
  if (options.fourier < 2 || options.fourier / 2 >= options.samples)
    return fail(Reason::model_unsupported, "n_fft must be at least 2 and shorter than a chunk");
  if (options.hop > options.samples)
    return fail(Reason::model_unsupported, "hop_length must not be longer than a chunk");
  // Also bounds the time of one chunk: windows of n_fft samples, every hop.
  const size_t frames = options.samples / options.hop;
  if (options.samples > feature_values_max || frames > feature_values_max / options.mels ||
      frames > (size_t{1} << 30) / options.fourier)
    return fail(Reason::model_unsupported,
                "chunk_length, hop_length, n_fft and feature_size make too many numbers");
  return std::unique_ptr<const SoundFeatures>(std::make_unique<WhisperFeatures>(options));
}

}  // namespace holdfast::media
