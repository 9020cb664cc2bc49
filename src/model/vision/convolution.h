#pragma once

#include "model/vision/images.h"
#include "model/weight_reader.h"
#include "tensor/kernels.h"

namespace holdfast::model {

// A picture between layers: [height, width, channels], so that a place's channels lie together.
struct FeatureMap {
  Extent size;
  size_t channels = 0;
  tensor::Floats data;

  static FeatureMap make(Extent size, size_t channels) {
    return {size, channels, tensor::Floats(size.area() * channels)};
  }
  // From [channels, height, width].
  static FeatureMap from_image(const float* image, Extent size, size_t channels);
  // To [channels, height, width].
  void to_image(float* out) const;
};

// What a two-dimensional convolution is made of. A batch norm after it is as good as done to its weights.
struct ConvolutionPlan {
  std::string name;  // NAME.weight [outputs, inputs / groups, kernel height, kernel width], and NAME.bias.
  size_t inputs = 0, outputs = 0, groups = 1;
  Extent kernel = {1, 1};
  size_t stride = 1, padding = 0, dilation = 1;
  Bias bias = Bias::with;
  std::string norm;  // NORM.weight, bias, running_mean and running_var; empty: none.
  float norm_epsilon = 1e-5F;
};

// A convolution, packed once. Groups of several channels are products over the patches under the kernel;
// where every channel is a group of its own, it is a sum in f32. Immutable; an output's bits depend on its
// inputs alone.
class Convolution {
 public:
  static Result<Convolution> load(const ConvolutionPlan& plan, const WeightReader& reader);
  // `weight` as the checkpoint has it; `bias` may be empty.
  static Convolution make(const ConvolutionPlan& plan, std::span<const float> weight,
                          std::span<const float> bias, tensor::Compute compute);

  const ConvolutionPlan& plan() const { return plan_; }
  // Without area where the kernel does not fit.
  Extent size_for(Extent in) const;
  // activation(convolution of in) + addend, which may be null and is as large as the result.
  FeatureMap run(const FeatureMap& in, tensor::Activation activation, const float* addend,
                 tensor::Threads& threads) const;

 private:
  void gather(const FeatureMap& in, Extent out, size_t group, size_t first, size_t count, float* rows) const;
  void run_apart(const FeatureMap& in, FeatureMap& out, size_t line) const;

  ConvolutionPlan plan_;
  const tensor::Kernels* kernels_ = nullptr;
  std::vector<LinearLayer> products_;  // One a group; empty where every channel is one.
  std::vector<float> taps_, bias_;     // [kernel, channels] of the latter.
};

// The greatest number under each place of a window, of what lies within the picture.
FeatureMap max_pool(const FeatureMap& in, size_t kernel, size_t stride, size_t padding);
// The mean of each channel.
std::vector<float> mean_pool(const FeatureMap& in);

}  // namespace holdfast::model
