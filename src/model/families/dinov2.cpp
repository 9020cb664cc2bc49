// DINOv2, with and without registers, and DINOv3, which turns by place instead of adding positions.
#include <boost/json/object.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/signals.h"
#include "model/memory_check.h"

namespace holdfast::model {
namespace {

constexpr size_t inner_most = 131'072;

size_t read_inner(ConfigReader& config, size_t width) {
  const float ratio = config.number({"mlp_ratio"}, 4);
  const double inner = static_cast<double>(width) * ratio;
  if (inner >= 1 && inner <= static_cast<double>(inner_most)) return static_cast<size_t>(inner);
  config.refuse(fail(Reason::bad_request, "config.json: mlp_ratio leaves no size of the inner layer"));
  return 1;
}

}  // namespace

ImageTowerPlan plan_dinov2(ConfigReader& config) {
  ImageTowerPlan plan;
  plan_vit_layers(config, plan);
  EncoderPlan& encoder = plan.encoder;
  encoder.inner = read_inner(config, encoder.width);
  encoder.epsilon = config.number({"layer_norm_eps"}, 1e-6);
  const bool has_registers = config.text({"model_type"}, "dinov2") == "dinov2_with_registers";
  plan.image = read_extent(config, "image_size", 224);
  plan.patches.kernel = read_extent(config, "patch_size", has_registers ? 16 : 14);
  plan.patches.name = "embeddings.patch_embeddings.projection";
  plan.tokens = {"embeddings.cls_token"};
  plan.positions = "embeddings.position_embeddings";
  plan.other_sizes = ImageTowerPlan::OtherSizes::always;
  encoder.prefixes = {"dinov2."};
  if (has_registers) {
    encoder.prefixes = {"dinov2_with_registers."};
    plan.registers = "embeddings.register_tokens";
    plan.register_count = config.size_or_zero({"num_register_tokens"}, 4, 1'024);
    plan.resampling = Resampling::bicubic_antialias;
  }
  add_layers(encoder, "encoder.layer.", config.size({"num_hidden_layers"}, 12, 256));
  encoder.query = "attention.attention.query";
  encoder.key = "attention.attention.key";
  encoder.value = "attention.attention.value";
  encoder.attention_out = "attention.output.dense";
  encoder.attention_norm = "norm1";
  encoder.attention_scale = "layer_scale1.lambda1";
  encoder.up = "mlp.fc1";
  encoder.out = "mlp.fc2";
  encoder.out_norm = "norm2";
  encoder.out_scale = "layer_scale2.lambda1";
  encoder.final_norm = "layernorm";
  encoder.renames = {{"attention.attention.query", "attention.q_proj"},
                     {"attention.attention.key", "attention.k_proj"},
                     {"attention.attention.value", "attention.v_proj"},
                     {"attention.output.dense", "attention.o_proj"},
                     {"mlp.weights_out", "mlp.down_proj"}};
  if (!config.flag({"use_swiglu_ffn"}, false)) return plan;
  encoder.gated = true;
  encoder.activation = tensor::Activation::silu;
  encoder.inner = (encoder.inner * 2 / 3 + 7) / 8 * 8;
  encoder.gate_up = "mlp.weights_in";
  encoder.gate = "mlp.gate_proj";
  encoder.up = "mlp.up_proj";
  encoder.out = "mlp.weights_out";
  return plan;
}

ImageTowerPlan plan_dinov3(ConfigReader& config) {
  ImageTowerPlan plan;
  plan_vit_layers(config, plan);
  EncoderPlan& encoder = plan.encoder;
  encoder.inner = config.size({"intermediate_size"}, 1'536);
  encoder.epsilon = config.number({"layer_norm_eps"}, 1e-5);
  encoder.grid_theta = config.number({"rope_theta"}, 100);
  if (encoder.head_width % 4 != 0 || encoder.grid_theta <= 0 ||
      encoder.head_width * encoder.heads != encoder.width)
    config.refuse(fail(Reason::bad_request, "config.json: its rotary positions by place cannot be"));
  plan.image = read_extent(config, "image_size", 224);
  plan.patches.kernel = read_extent(config, "patch_size", 16);
  plan.patches.name = "embeddings.patch_embeddings";
  plan.tokens = {"embeddings.cls_token"};
  plan.registers = "embeddings.register_tokens";
  plan.register_count = config.size_or_zero({"num_register_tokens"}, 0, 1'024);
  plan.other_sizes = ImageTowerPlan::OtherSizes::always;
  plan.turns_by_place = true;
  add_layers(encoder, "layer.", config.size({"num_hidden_layers"}, 12, 256));
  encoder.attention_bias = encoder.inner_bias = Bias::if_there;  // Each product has a switch of its own.
  encoder.query = "attention.q_proj";
  encoder.key = "attention.k_proj";
  encoder.value = "attention.v_proj";
  encoder.attention_out = "attention.o_proj";
  encoder.attention_norm = "norm1";
  encoder.attention_scale = "layer_scale1.lambda1";
  encoder.up = "mlp.up_proj";
  encoder.out = "mlp.down_proj";
  encoder.out_norm = "norm2";
  encoder.out_scale = "layer_scale2.lambda1";
  encoder.final_norm = "norm";
  encoder.renames = {{"layer.", "model.layer."}};
  encoder.gated = config.flag({"use_gated_mlp"}, false);
  if (encoder.gated) encoder.gate = "mlp.gate_proj";
  return plan;
}

namespace {

class Dinov2 final : public SignalModel {
 public:
  static Result<std::unique_ptr<SignalModel>> open(const boost::json::object& json, tensor::Weights weights,
                                                   tensor::Compute compute) {
    ConfigReader config(json);
    const std::string type = config.text({"model_type"}, "dinov2");
    const bool turns = type == "dinov3_vit";
    ImageTowerPlan plan = turns ? plan_dinov3(config) : plan_dinov2(config);
    const std::string kind =
        turns ? read_class(config, "DINOv3ViT", {"Model"})
              : read_class(config, type == "dinov2_with_registers" ? "Dinov2WithRegisters" : "Dinov2",
                           {"Model", "ForImageClassification"});
    auto out = std::make_unique<Dinov2>();
    if (kind != "Model") out->purpose_ = {SignalPurpose::Task::image_classification, read_labels(config)};
    TRY_DONE(config.status());
    out->weights_ = std::make_unique<tensor::Weights>(std::move(weights));
    TRY_DONE(check_memory(*out->weights_, compute));
    const WeightReader reader(*out->weights_, plan.encoder.prefixes, compute, plan.encoder.renames);
    const size_t width = plan.encoder.width;
    TRY(ImageTower tower, ImageTower::load(std::move(plan), reader));
    out->tower_ = std::make_unique<ImageTower>(std::move(tower));
    if (kind != "Model") {
      TRY(out->classifier_, reader.linear("classifier", out->purpose_.labels.size(), 2 * width));
    }
    return std::unique_ptr<SignalModel>(std::move(out));
  }

  const SignalPurpose& purpose() const override { return purpose_; }

  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override {
    TRY_DONE(check_arguments(inputs, {"pixel_values"}));
    TRY(const Images images, read_images(inputs, tower_->plan().patches.channels));
    TRY(const ImageRows hidden, tower_->forward(images, true, threads));
    if (classifier_ != nullptr) {
      const tensor::Floats summary = summarize(hidden);
      const tensor::Floats logits = apply(*classifier_, summary.data(), hidden.images, 2 * hidden.width,
                                          tensor::Activation::none, threads);
      return std::vector{named("logits", {hidden.images, classifier_->width()}, logits)};
    }
    tensor::Floats pooled(hidden.images * hidden.width);
    for (size_t image = 0; image < hidden.images; ++image)
      std::copy_n(hidden.of(image, 0), hidden.width, pooled.data() + image * hidden.width);
    return std::vector{named("last_hidden_state", {hidden.images, hidden.rows, hidden.width}, hidden.data),
                       named("pooler_output", {hidden.images, hidden.width}, pooled)};
  }

 private:
  // The row of the class and the mean of the patches' beside each other.
  tensor::Floats summarize(const ImageRows& hidden) const {
    const size_t width = hidden.width, first = tower_->plan().leading();
    tensor::Floats out(hidden.images * 2 * width);
    for (size_t image = 0; image < hidden.images; ++image) {
      float* mean = std::copy_n(hidden.of(image, 0), width, out.data() + image * 2 * width);
      std::fill_n(mean, width, 0.0F);
      for (size_t row = first; row < hidden.rows; ++row)
        for (size_t i = 0; i < width; ++i) mean[i] += hidden.of(image, row)[i];
      for (size_t i = 0; i < width; ++i) mean[i] /= static_cast<float>(hidden.rows - first);
    }
    return out;
  }

  std::unique_ptr<tensor::Weights> weights_;  // Its address must not change.
  std::unique_ptr<ImageTower> tower_;
  LinearLayer classifier_;  // Null: none.
  SignalPurpose purpose_;
};

}  // namespace

OpenedSignal open_dinov2(const boost::json::object& config, tensor::Weights weights,
                         tensor::Compute compute) {
  return Dinov2::open(config, std::move(weights), compute);
}

}  // namespace holdfast::model
