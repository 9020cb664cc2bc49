#pragma once

#include <optional>

#include "model/vision/convolution.h"

namespace holdfast::model {

// ResNet as config.json asks for it.
struct ResidualNetPlan {
  enum class Names : uint8_t { transformers, timm };
  Names names = Names::transformers;
  size_t channels = 3, stem = 64;
  std::vector<size_t> widths = {256, 512, 1024, 2048}, depths = {3, 4, 6, 3};
  bool bottleneck = true;
  bool halves_first_stage = false;
  bool halves_in_first_layer = false;  // Of a bottleneck, instead of in its second.
  tensor::Activation activation = tensor::Activation::relu;
};

// Such a network, loaded. Immutable; safe from any thread, each with its own Threads.
class ResidualNet {
 public:
  static Result<ResidualNet> load(const ResidualNetPlan& plan, const WeightReader& reader);

  const ResidualNetPlan& plan() const { return plan_; }
  // The stem's picture and each stage's, of one image. An image's bits do not depend on the threads.
  std::vector<FeatureMap> run(const float* image, Extent size, tensor::Threads& threads) const;

 private:
  struct Layer {
    std::vector<Convolution> steps;
    std::optional<Convolution> shortcut;
  };
  struct Sizes {
    size_t in = 0, out = 0, stride = 1;
  };
  ResidualNet() = default;
  Result<Layer> load_layer(const WeightReader& reader, const std::string& name, Sizes sizes) const;
  FeatureMap run_layer(const Layer& layer, const FeatureMap& in, tensor::Threads& threads) const;

  ResidualNetPlan plan_;
  const tensor::Kernels* kernels_ = nullptr;
  std::vector<Convolution> stem_;  // One.
  std::vector<std::vector<Layer>> stages_;
};

}  // namespace holdfast::model
