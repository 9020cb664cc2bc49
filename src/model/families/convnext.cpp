// ConvNeXt and ConvNeXt V2, which has a normalization by the whole picture instead of a scale.
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
#include "model/steps.h"
#include "model/vision/normed_mlp.h"

namespace holdfast::model {
namespace {

constexpr float norm_epsilon = 1e-6F;  // Whatever layer_norm_eps says, which is of the last norm alone.

struct ConvNextPlan {
  size_t channels = 3;
  Extent patch;
  std::vector<size_t> widths = {96, 192, 384, 768}, depths = {3, 3, 9, 3};
  tensor::Activation activation = tensor::Activation::gelu;
  bool scales = true;      // Each branch by a number a channel.
  bool responses = false;  // V2.
  float epsilon = 1e-12F;
};

class ConvNext final : public PictureNet {
 public:
  static Result<std::unique_ptr<ConvNext>> load(const ConvNextPlan& plan, const WeightReader& reader);

  size_t channels() const override { return plan_.channels; }
  size_t width() const override { return plan_.widths.back(); }
  FeatureMap run(const float* image, Extent size, tensor::Threads& threads) const override;
  std::vector<float> pool(const FeatureMap& picture) const override;

 private:
  struct Layer {
    std::optional<Convolution> apart;
    NormedMlp mlp;
    std::vector<float> response, response_bias;  // V2, [4 C].
  };
  struct Stage {
    std::optional<Norm> norm;  // As what halves, null in the first one.
    std::optional<Convolution> halving;
    std::vector<Layer> layers;
  };
  Result<Layer> load_layer(const WeightReader& reader, const std::string& name, size_t width) const;
  void normalize(const Norm& norm, FeatureMap& x) const {
    kernels_->layer_norm({x.data.data(), x.data.data(), norm.gamma.data(), norm.beta.data(), x.size.area(),
                          x.channels, norm_epsilon});
  }
  void respond(const Layer& layer, tensor::Floats& rows, size_t places) const;
  void run_layer(const Layer& layer, FeatureMap& x, tensor::Threads& threads) const;

  ConvNextPlan plan_;
  const tensor::Kernels* kernels_ = nullptr;
  std::optional<Convolution> patches_;
  Norm first_norm_, last_norm_;
  std::vector<Stage> stages_;
};

Result<ConvNext::Layer> ConvNext::load_layer(const WeightReader& reader, const std::string& name,
                                             size_t width) const {
  Layer out;
  ConvolutionPlan apart;
  apart.name = name + ".dwconv";
  apart.inputs = apart.outputs = apart.groups = width;
  apart.kernel = {7, 7};
  apart.padding = 3;
  TRY(out.apart, Convolution::load(apart, reader));
  TRY(out.mlp.norm, reader.norm(name + ".layernorm", width));
  out.mlp.epsilon = norm_epsilon;
  out.mlp.activation = plan_.activation;
  TRY(out.mlp.up, reader.linear(name + ".pwconv1", 4 * width, width));
  if (plan_.responses) {
    TRY(out.response, reader.floats(name + ".grn.weight", {1, 1, 1, 4 * width}));
    TRY(out.response_bias, reader.floats(name + ".grn.bias", {1, 1, 1, 4 * width}));
  }
  if (!plan_.scales) {
    TRY(out.mlp.down, reader.linear(name + ".pwconv2", width, 4 * width));
    return out;
  }
  // The scale is as good as done to the layer before it.
  TRY(std::vector<float> weight, reader.floats(name + ".pwconv2.weight", {width, 4 * width}));
  TRY(std::vector<float> bias, reader.floats(name + ".pwconv2.bias", {width}));
  TRY(const std::vector<float> scale, reader.floats(name + ".layer_scale_parameter", {width}));
  for (size_t i = 0; i < width; ++i) {
    bias[i] *= scale[i];
    for (size_t k = 0; k < 4 * width; ++k) weight[i * 4 * width + k] *= scale[i];
  }
  out.mlp.down = tensor::make_linear({weight, bias, width, 4 * width}, reader.compute());
  return out;
}

Result<std::unique_ptr<ConvNext>> ConvNext::load(const ConvNextPlan& plan, const WeightReader& reader) {
  auto out = std::make_unique<ConvNext>();
  out->plan_ = plan;
  out->kernels_ = &tensor::kernels_for(reader.compute().isa);
  const auto square = [](std::string name, size_t inputs, size_t outputs, size_t side) {
    ConvolutionPlan conv;
    conv.name = std::move(name);
    conv.inputs = inputs;
    conv.outputs = outputs;
    conv.kernel = {side, side};
    conv.stride = side;
    return conv;
  };
  TRY(out->patches_, Convolution::load(square("embeddings.patch_embeddings", plan.channels,
                                              plan.widths.front(), plan.patch.height),
                                       reader));
  TRY(out->first_norm_, reader.norm("embeddings.layernorm", plan.widths.front()));
  for (size_t i = 0; i < plan.widths.size(); ++i) {
    const std::string name = fmt::format("encoder.stages.{}", i);
    Stage stage;
    if (i > 0) {
      TRY(stage.norm, reader.norm(name + ".downsampling_layer.0", plan.widths[i - 1]));
      TRY(stage.halving,
          Convolution::load(square(name + ".downsampling_layer.1", plan.widths[i - 1], plan.widths[i], 2),
                            reader));
    }
    for (size_t k = 0; k < plan.depths[i]; ++k) {
      TRY(Layer layer, out->load_layer(reader, fmt::format("{}.layers.{}", name, k), plan.widths[i]));
      stage.layers.push_back(std::move(layer));
    }
    out->stages_.push_back(std::move(stage));
  }
  TRY(out->last_norm_, reader.norm("layernorm", plan.widths.back()));
  return out;
}

// Each channel by how strong it is in the whole picture among the others.
void ConvNext::respond(const Layer& layer, tensor::Floats& rows, size_t places) const {
  const size_t width = layer.response.size();
  std::vector<float> strength(width, 0.0F);
  for (size_t place = 0; place < places; ++place)
    for (size_t i = 0; i < width; ++i) {
      const float x = rows.data()[place * width + i];
      strength[i] += x * x;
    }
  double sum = 0;
  for (float& one : strength) {
    one = std::sqrt(one);
    sum += one;
  }
  const float mean = static_cast<float>(sum / static_cast<double>(width)) + 1e-6F;
  for (size_t place = 0; place < places; ++place)
    for (size_t i = 0; i < width; ++i) {
      float& x = rows.data()[place * width + i];
      x += layer.response[i] * (x * (strength[i] / mean)) + layer.response_bias[i];
    }
}

void ConvNext::run_layer(const Layer& layer, FeatureMap& x, tensor::Threads& threads) const {
  FeatureMap branch = layer.apart->run(x, tensor::Activation::none, nullptr, threads);
  const size_t places = x.size.area();
  const NormedMlp& mlp = layer.mlp;
  if (!plan_.responses) return mlp.add(*kernels_, branch.data.data(), places, x.data.data(), threads);
  normalize(mlp.norm, branch);
  tensor::Floats inner = apply(*mlp.up, branch.data.data(), places, x.channels, mlp.activation, threads);
  respond(layer, inner, places);
  tensor::LinearRun run;
  run.in = inner.data();
  run.out = x.data.data();
  run.addend = x.data.data();
  run.rows = places;
  mlp.down->run(run, threads);
}

FeatureMap ConvNext::run(const float* image, Extent size, tensor::Threads& threads) const {
  constexpr auto none = tensor::Activation::none;
  FeatureMap x = patches_->run(FeatureMap::from_image(image, size, plan_.channels), none, nullptr, threads);
  normalize(first_norm_, x);
  tensor::step_ended(tensor::WorkWatch::no_layer, step::embedding);
  size_t index = 0;
  for (const Stage& stage : stages_) {
    if (stage.norm) {
      normalize(*stage.norm, x);
      x = stage.halving->run(x, none, nullptr, threads);
    }
    for (const Layer& layer : stage.layers) {
      run_layer(layer, x, threads);
      tensor::step_ended(index++, step::whole_layer);
    }
  }
  return x;
}

std::vector<float> ConvNext::pool(const FeatureMap& picture) const {
  std::vector<float> out = mean_pool(picture);
  kernels_->layer_norm({out.data(), out.data(), last_norm_.gamma.data(), last_norm_.beta.data(), 1,
                        out.size(), plan_.epsilon});
  return out;
}

}  // namespace

OpenedSignal open_convnext(const boost::json::object& json, tensor::Weights weights,
                           tensor::Compute compute) {
  ConfigReader config(json);
  const bool second = config.text({"model_type"}, "convnext") == "convnextv2";
  ConvNextPlan plan;
  plan.channels = config.size({"num_channels"}, 3, 1'024);
  plan.patch = read_extent(config, "patch_size", 4, 1'024);
  if (plan.patch.height != plan.patch.width)
    config.refuse(fail(Reason::model_unsupported, "config.json: patch_size must be one number"));
  plan.widths = read_stages(config, "hidden_sizes", plan.widths, 65'536);
  plan.depths = read_stages(config, "depths", plan.depths, 256);
  const size_t stages = config.size({"num_stages"}, plan.widths.size(), 64);
  if (plan.widths.size() != plan.depths.size() || stages != plan.widths.size()) {
    config.refuse(fail(Reason::bad_request, "config.json: hidden_sizes, depths and num_stages differ"));
    plan.depths.resize(plan.widths.size(), 1);
  }
  plan.activation = read_activation(config, {"hidden_act"}, "gelu");
  plan.scales = !second && config.number({"layer_scale_init_value"}, 1e-6) > 0;
  plan.responses = second;
  plan.epsilon = config.number({"layer_norm_eps"}, 1e-12);
  const std::string kind =
      read_class(config, second ? "ConvNextV2" : "ConvNext", {"Model", "ForImageClassification"});
  SignalPurpose purpose;
  PictureAnswers answers;
  if (kind != "Model") {
    purpose = {SignalPurpose::Task::image_classification, read_labels(config)};
    answers.classifier = "classifier";
  }
  TRY_DONE(config.status());
  TRY_DONE(check_memory(weights, compute));
  const WeightReader reader(weights, {second ? "convnextv2." : "convnext."}, compute);
  TRY(std::unique_ptr<ConvNext> net, ConvNext::load(plan, reader));
  return make_picture_model(std::move(net), answers, std::move(purpose), reader);
}

}  // namespace holdfast::model
