#include "model/vision/residual_net.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/steps.h"
#include "tensor/activation.h"

namespace holdfast::model {
namespace {

constexpr size_t reduction = 4;  // What a bottleneck is narrower by.

// What a convolution and the norm after it are called.
struct StepName {
  std::string convolution, norm;
};

class StepNames {
 public:
  explicit StepNames(ResidualNetPlan::Names kind) : timm_(kind == ResidualNetPlan::Names::timm) {}
  StepName stem() const { return timm_ ? StepName{"conv1", "bn1"} : own("embedder.embedder"); }
  std::string layer(size_t stage, size_t index) const {
    return timm_ ? fmt::format("layer{}.{}", stage + 1, index)
                 : fmt::format("encoder.stages.{}.layers.{}", stage, index);
  }
  StepName step(const std::string& layer, size_t index) const {
    if (!timm_) return own(fmt::format("{}.layer.{}", layer, index));
    return {fmt::format("{}.conv{}", layer, index + 1), fmt::format("{}.bn{}", layer, index + 1)};
  }
  StepName shortcut(const std::string& layer) const {
    if (!timm_) return own(layer + ".shortcut");
    return {layer + ".downsample.0", layer + ".downsample.1"};
  }

 private:
  static StepName own(const std::string& name) { return {name + ".convolution", name + ".normalization"}; }
  bool timm_;
};

ConvolutionPlan step_plan(StepName name, size_t inputs, size_t outputs, size_t kernel, size_t stride) {
  ConvolutionPlan plan;
  plan.name = std::move(name.convolution);
  plan.norm = std::move(name.norm);
  plan.bias = Bias::without;
  plan.inputs = inputs;
  plan.outputs = outputs;
  plan.kernel = {kernel, kernel};
  plan.stride = stride;
  plan.padding = kernel / 2;
  return plan;
}

}  // namespace

Result<ResidualNet::Layer> ResidualNet::load_layer(const WeightReader& reader, const std::string& name,
                                                   Sizes sizes) const {
  Layer out;
  const StepNames names(plan_.names);
  std::vector<ConvolutionPlan> steps;
  const auto add = [&](size_t inputs, size_t outputs, size_t kernel, size_t stride) {
    steps.push_back(step_plan(names.step(name, steps.size()), inputs, outputs, kernel, stride));
  };
  if (plan_.bottleneck) {
    const size_t narrow = sizes.out / reduction;
    if (narrow == 0) return fail(Reason::bad_request, "config.json: hidden_sizes leave no bottleneck");
    add(sizes.in, narrow, 1, plan_.halves_in_first_layer ? sizes.stride : 1);
    add(narrow, narrow, 3, plan_.halves_in_first_layer ? 1 : sizes.stride);
    add(narrow, sizes.out, 1, 1);
  } else {
    add(sizes.in, sizes.out, 3, sizes.stride);
    add(sizes.out, sizes.out, 3, 1);
  }
  for (const ConvolutionPlan& step : steps) {
    TRY(Convolution loaded, Convolution::load(step, reader));
    out.steps.push_back(std::move(loaded));
  }
  if (sizes.in != sizes.out || sizes.stride != 1) {
    TRY(out.shortcut,
        Convolution::load(step_plan(names.shortcut(name), sizes.in, sizes.out, 1, sizes.stride), reader));
  }
  return out;
}

Result<ResidualNet> ResidualNet::load(const ResidualNetPlan& plan, const WeightReader& reader) {
  ResidualNet out;
  out.plan_ = plan;
  const StepNames names(plan.names);
  out.kernels_ = &tensor::kernels_for(reader.compute().isa);
  TRY(Convolution stem, Convolution::load(step_plan(names.stem(), plan.channels, plan.stem, 7, 2), reader));
  out.stem_.push_back(std::move(stem));
  size_t width = plan.stem;
  for (size_t stage = 0; stage < plan.widths.size(); ++stage) {
    std::vector<Layer> layers;
    for (size_t i = 0; i < std::max<size_t>(plan.depths[stage], 1); ++i) {
      const bool halves = i == 0 && (stage > 0 || plan.halves_first_stage);
      TRY(Layer layer, out.load_layer(reader, names.layer(stage, i),
                                      {width, plan.widths[stage], halves ? size_t{2} : size_t{1}}));
      layers.push_back(std::move(layer));
      width = plan.widths[stage];
    }
    out.stages_.push_back(std::move(layers));
  }
  return out;
}

FeatureMap ResidualNet::run_layer(const Layer& layer, const FeatureMap& in, tensor::Threads& threads) const {
  constexpr auto none = tensor::Activation::none;
  std::optional<FeatureMap> shortcut;
  if (layer.shortcut) shortcut = layer.shortcut->run(in, none, nullptr, threads);
  const float* rest = shortcut ? shortcut->data.data() : in.data.data();
  FeatureMap x;
  for (size_t i = 0; i < layer.steps.size(); ++i) {
    const bool last = i + 1 == layer.steps.size();
    // Between steps it is relu whatever the configuration says.
    x = layer.steps[i].run(i == 0 ? in : x, last ? none : tensor::Activation::relu, last ? rest : nullptr,
                           threads);
  }
  tensor::activate(*kernels_, plan_.activation, x.data.data(), x.data.size());
  return x;
}

std::vector<FeatureMap> ResidualNet::run(const float* image, Extent size, tensor::Threads& threads) const {
  const FeatureMap pixels = FeatureMap::from_image(image, size, plan_.channels);
  std::vector<FeatureMap> out;
  out.push_back(max_pool(stem_.front().run(pixels, plan_.activation, nullptr, threads), 3, 2, 1));
  tensor::step_ended(tensor::WorkWatch::no_layer, step::embedding);
  size_t index = 0;
  for (const std::vector<Layer>& stage : stages_) {
    FeatureMap x;
    for (const Layer& layer : stage) {
      x = run_layer(layer, &layer == &stage.front() ? out.back() : x, threads);
      tensor::step_ended(index++, step::whole_layer);
    }
    out.push_back(std::move(x));
  }
  return out;
}

}  // namespace holdfast::model
