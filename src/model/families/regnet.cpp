// RegNet: residual layers of grouped convolutions, of kind "y" with a weight for each channel by their means.
#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <cmath>
#include <optional>

#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/picture_model.h"
#include "model/families/signals.h"
#include "model/memory_check.h"
#include "tensor/activation.h"

namespace holdfast::model {
namespace {

struct RegNetPlan {
  size_t channels = 3, stem = 32, group_width = 64;
  std::vector<size_t> widths = {128, 192, 512, 1'088}, depths = {2, 6, 12, 2};
  bool squeezes = true, halves_first_stage = true;
  tensor::Activation activation = tensor::Activation::relu;
};

RegNetPlan plan_regnet(ConfigReader& config) {
  RegNetPlan plan;
  plan.channels = config.size({"num_channels"}, 3, 1'024);
  plan.stem = config.size({"embedding_size"}, 32, 65'536);
  plan.widths = read_stages(config, "hidden_sizes", plan.widths, 65'536);
  plan.depths = read_stages(config, "depths", plan.depths, 256);
  plan.group_width = config.size({"groups_width"}, 64, 65'536);
  if (plan.widths.size() != plan.depths.size()) {
    config.refuse(fail(Reason::bad_request, "config.json: hidden_sizes and depths differ in length"));
    plan.depths.resize(plan.widths.size(), 1);
  }
  for (const size_t width : plan.widths)
    if (width % std::max<size_t>(1, width / plan.group_width) != 0)
      config.refuse(fail(Reason::bad_request, "config.json: groups_width does not divide hidden_sizes"));
  const std::string type = config.text({"layer_type"}, "y");
  if (type != "x" && type != "y")
    config.refuse(fail(Reason::model_unsupported, "config.json: layer_type must be x or y"));
  plan.squeezes = type == "y";
  plan.halves_first_stage = config.flag({"downsample_in_first_stage"}, true);
  plan.activation = read_activation(config, {"hidden_act"}, "relu");
  return plan;
}

class RegNet final : public PictureNet {
 public:
  static Result<RegNet> load(const RegNetPlan& plan, const WeightReader& reader);
  size_t channels() const override { return plan_.channels; }
  size_t width() const override { return plan_.widths.back(); }
  FeatureMap run(const float* image, Extent size, tensor::Threads& threads) const override;
  std::vector<float> pool(const FeatureMap& picture) const override { return mean_pool(picture); }

 private:
  struct Layer {
    std::vector<Convolution> steps;    // Three.
    std::vector<Convolution> squeeze;  // Two, or none.
    std::optional<Convolution> shortcut;
  };
  RegNet() = default;
  Result<Layer> load_layer(const WeightReader& reader, const std::string& name, size_t inputs, size_t outputs,
                           size_t stride) const;
  void weigh(const Layer& layer, FeatureMap& x, tensor::Threads& threads) const;
  FeatureMap run_layer(const Layer& layer, const FeatureMap& in, tensor::Threads& threads) const;

  RegNetPlan plan_;
  const tensor::Kernels* kernels_ = nullptr;
  std::vector<Convolution> stem_;  // One.
  std::vector<Layer> layers_;
};

Result<Convolution> load_step(const WeightReader& reader, const std::string& name, ConvolutionPlan plan) {
  plan.name = name + ".convolution";
  plan.norm = name + ".normalization";
  plan.bias = Bias::without;
  plan.padding = plan.kernel.height / 2;
  return Convolution::load(plan, reader);
}

Result<RegNet::Layer> RegNet::load_layer(const WeightReader& reader, const std::string& name, size_t inputs,
                                         size_t outputs, size_t stride) const {
  Layer out;
  const auto step = [&](size_t index, ConvolutionPlan plan) -> Status {
    TRY(Convolution loaded, load_step(reader, fmt::format("{}.layer.{}", name, index), std::move(plan)));
    out.steps.push_back(std::move(loaded));
    return Done{};
  };
  ConvolutionPlan narrow, wide;
  narrow.inputs = inputs;
  narrow.outputs = wide.inputs = wide.outputs = outputs;
  wide.kernel = {3, 3};
  wide.stride = stride;
  wide.groups = std::max<size_t>(1, outputs / plan_.group_width);
  TRY_DONE(step(0, narrow));
  TRY_DONE(step(1, wide));
  narrow.inputs = outputs;
  TRY_DONE(step(plan_.squeezes ? 3 : 2, narrow));
  if (plan_.squeezes) {
    const auto few = static_cast<size_t>(std::nearbyint(static_cast<double>(inputs) / 4));
    if (few == 0) return fail(Reason::bad_request, "config.json: hidden_sizes leave nothing to squeeze into");
    for (const size_t index : {0, 2}) {
      ConvolutionPlan plan;
      plan.name = fmt::format("{}.layer.2.attention.{}", name, index);
      plan.inputs = index == 0 ? outputs : few;
      plan.outputs = index == 0 ? few : outputs;
      TRY(Convolution loaded, Convolution::load(plan, reader));
      out.squeeze.push_back(std::move(loaded));
    }
  }
  if (inputs == outputs && stride == 1) return out;
  ConvolutionPlan shortcut;
  shortcut.inputs = inputs;
  shortcut.outputs = outputs;
  shortcut.stride = stride;
  TRY(out.shortcut, load_step(reader, name + ".shortcut", shortcut));
  return out;
}

Result<RegNet> RegNet::load(const RegNetPlan& plan, const WeightReader& reader) {
  RegNet out;
  out.plan_ = plan;
  out.kernels_ = &tensor::kernels_for(reader.compute().isa);
  ConvolutionPlan stem;
  stem.inputs = plan.channels;
  stem.outputs = plan.stem;
  stem.kernel = {3, 3};
  stem.stride = 2;
  TRY(Convolution first, load_step(reader, "embedder.embedder", stem));
  out.stem_.push_back(std::move(first));
  size_t width = plan.stem;
  for (size_t stage = 0; stage < plan.widths.size(); ++stage)
    for (size_t i = 0; i < plan.depths[stage]; ++i) {
      const bool halves = i == 0 && (stage > 0 || plan.halves_first_stage);
      TRY(Layer layer, out.load_layer(reader, fmt::format("encoder.stages.{}.layers.{}", stage, i), width,
                                      plan.widths[stage], halves ? 2 : 1));
      out.layers_.push_back(std::move(layer));
      width = plan.widths[stage];
    }
  return out;
}

// Each channel times what the means of all say of it.
void RegNet::weigh(const Layer& layer, FeatureMap& x, tensor::Threads& threads) const {
  FeatureMap means = FeatureMap::make({1, 1}, x.channels);
  const std::vector<float> pooled = mean_pool(x);
  std::copy(pooled.begin(), pooled.end(), means.data.data());
  means = layer.squeeze[0].run(means, tensor::Activation::relu, nullptr, threads);
  means = layer.squeeze[1].run(means, tensor::Activation::sigmoid, nullptr, threads);
  for (size_t place = 0; place < x.size.area(); ++place)
    for (size_t i = 0; i < x.channels; ++i) x.data.data()[place * x.channels + i] *= means.data.data()[i];
}

FeatureMap RegNet::run_layer(const Layer& layer, const FeatureMap& in, tensor::Threads& threads) const {
  constexpr auto none = tensor::Activation::none;
  FeatureMap x = layer.steps[0].run(in, plan_.activation, nullptr, threads);
  x = layer.steps[1].run(x, plan_.activation, nullptr, threads);
  if (x.size.area() == 0) return x;
  if (!layer.squeeze.empty()) weigh(layer, x, threads);
  std::optional<FeatureMap> shortcut;
  if (layer.shortcut) shortcut = layer.shortcut->run(in, none, nullptr, threads);
  x = layer.steps[2].run(x, none, shortcut ? shortcut->data.data() : in.data.data(), threads);
  tensor::activate(*kernels_, plan_.activation, x.data.data(), x.data.size());
  return x;
}

FeatureMap RegNet::run(const float* image, Extent size, tensor::Threads& threads) const {
  FeatureMap x = stem_.front().run(FeatureMap::from_image(image, size, plan_.channels), plan_.activation,
                                   nullptr, threads);
  for (const Layer& layer : layers_) x = run_layer(layer, x, threads);
  return x;
}

}  // namespace

OpenedSignal open_regnet(const boost::json::object& json, tensor::Weights weights, tensor::Compute compute) {
  ConfigReader config(json);
  const RegNetPlan plan = plan_regnet(config);
  const std::string kind = read_class(config, "RegNet", {"Model", "ForImageClassification"});
  SignalPurpose purpose;
  PictureAnswers answers{.pooled_is_picture = true, .classifier = {}};
  if (kind != "Model") {
    purpose = {SignalPurpose::Task::image_classification, read_labels(config)};
    answers.classifier = "classifier.1";
  }
  TRY_DONE(config.status());
  TRY_DONE(check_memory(weights, compute));
  const WeightReader reader(weights, {"regnet."}, compute);
  TRY(RegNet net, RegNet::load(plan, reader));
  return make_picture_model(std::make_unique<RegNet>(std::move(net)), answers, std::move(purpose), reader);
}

}  // namespace holdfast::model
