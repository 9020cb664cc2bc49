#pragma once

#include <memory>

#include "model/scratch.h"
#include "model/sound/time_convolution.h"
#include "tensor/kernels.h"

namespace holdfast::model {

// What config.json says of the convolutions that make frames of samples (wav2vec 2.0).
struct WaveFeaturesPlan {
  enum class Norm : uint8_t {
    group,  // Of each channel over all of time, after the first convolution alone.
    layer   // Of each frame, after every convolution.
  };
  struct Layer {
    size_t width = 0, kernel = 0, stride = 0;
  };
  std::vector<Layer> layers;
  Norm norm = Norm::group;
  Bias bias = Bias::without;
  tensor::Activation activation = tensor::Activation::gelu;
  std::string prefix = "feature_extractor.conv_layers.";
};

// Samples of a sound into frames of features. A few frames at a time go through all convolutions, so that
// what lies between stays in the cache and an hour needs no more of it than a second. Immutable but for
// scratch memory; safe from any thread.
class WaveFeatures {
 public:
  static Result<WaveFeatures> load(WaveFeaturesPlan plan, const WeightReader& reader);

  size_t width() const { return plan_.layers.back().width; }
  size_t frames(size_t samples) const;
  size_t samples_min() const;  // Of one frame.
  // The first `count` frames, [count, width()]. With a norm by group they depend on all samples, those past
  // the last frame included, as in transformers: a sound that is padded has other numbers than without.
  void run(std::span<const float> samples, size_t count, float* out, tensor::Threads& threads) const;

 private:
  struct Space {
    tensor::Floats rows[2];
  };
  struct Scale {  // Of a channel.
    float factor = 1, shift = 0;
  };
  struct Layer {
    TimeConvolution convolution;
    std::optional<Norm> norm;  // Of frames.
  };

  WaveFeatures() = default;
  std::vector<Scale> scales_over_time(std::span<const float> samples, tensor::Threads& threads) const;
  void run_some(std::span<const float> samples, const std::vector<Scale>& scales, size_t first, size_t count,
                float* out, tensor::Threads& threads) const;

  WaveFeaturesPlan plan_;
  const tensor::Kernels* kernels_ = nullptr;  // One of the static tables.
  std::vector<Layer> layers_;
  std::optional<Norm> over_time_;
  std::unique_ptr<ScratchPool<Space>> spaces_;
};

}  // namespace holdfast::model
