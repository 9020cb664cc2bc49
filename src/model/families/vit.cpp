// ViT, DeiT with the token of its teacher, and ViT as masked siamese networks train it.
#include <boost/json/object.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/signals.h"
#include "model/memory_check.h"

namespace holdfast::model {

void name_vit_layers(EncoderPlan& encoder) {
  encoder.query = "attention.attention.query";
  encoder.key = "attention.attention.key";
  encoder.value = "attention.attention.value";
  encoder.attention_out = "attention.output.dense";
  encoder.attention_norm = "layernorm_before";
  encoder.up = "intermediate.dense";
  encoder.out = "output.dense";
  encoder.out_norm = "layernorm_after";
  encoder.final_norm = "layernorm";
  // As the modules are called since transformers 5.
  encoder.renames = {{"encoder.layer.", "layers."},
                     {"attention.attention.query", "attention.q_proj"},
                     {"attention.attention.key", "attention.k_proj"},
                     {"attention.attention.value", "attention.v_proj"},
                     {"attention.output.dense", "attention.o_proj"},
                     {"intermediate.dense", "mlp.fc1"},
                     {"output.dense", "mlp.fc2"}};
}

void plan_vit_layers(ConfigReader& config, ImageTowerPlan& plan) {
  EncoderPlan& encoder = plan.encoder;
  encoder.width = config.size({"hidden_size"}, 768, 16'384);
  encoder.embedding_width = encoder.width;
  encoder.heads = config.size({"num_attention_heads"}, 12, 1'024);
  if (!config.has("head_dim") && encoder.width % encoder.heads != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: hidden_size is not a multiple of num_attention_heads"));
  encoder.head_width = config.size({"head_dim"}, std::max<size_t>(encoder.width / encoder.heads, 1), 16'384);
  encoder.activation = read_activation(config, {"hidden_act"}, "gelu");
  encoder.norm_place = EncoderPlan::NormPlace::before;
  // Without qkv_bias the layer after attention still has one.
  encoder.attention_bias = config.flag({"qkv_bias"}, true) ? Bias::with : Bias::if_there;
  plan.patches.channels = config.size({"num_channels"}, 3, 1'024);
  plan.patches.width = encoder.width;
  refuse_switch(config, "is_decoder", false);
  refuse_switch(config, "add_cross_attention", false);
}

ImageTowerPlan plan_vit(ConfigReader& config) {
  ImageTowerPlan plan;
  plan_vit_layers(config, plan);
  EncoderPlan& encoder = plan.encoder;
  encoder.inner = config.size({"intermediate_size"}, 3'072);
  const std::string type = config.text({"model_type"}, "vit");
  encoder.epsilon = config.number({"layer_norm_eps"}, type == "vit_msn" ? 1e-6 : 1e-12);
  plan.image = read_extent(config, "image_size", 224);
  plan.patches.kernel = read_extent(config, "patch_size", 16);
  plan.patches.name = "embeddings.patch_embeddings.projection";
  plan.tokens = {"embeddings.cls_token"};
  encoder.prefixes = {"vit."};
  if (type == "deit") {
    encoder.prefixes = {"deit."};
    plan.tokens.emplace_back("embeddings.distillation_token");
  }
  plan.positions = "embeddings.position_embeddings";
  add_layers(encoder, "encoder.layer.", config.size({"num_hidden_layers"}, 12, 256));
  name_vit_layers(encoder);
  return plan;
}

namespace {

class Vit final : public SignalModel {
 public:
  static Result<std::unique_ptr<SignalModel>> open(const boost::json::object& json, tensor::Weights weights,
                                                   tensor::Compute compute) {
    ConfigReader config(json);
    const std::string type = config.text({"model_type"}, "vit");
    const bool is_deit = type == "deit";
    ImageTowerPlan plan = plan_vit(config);
    const std::string kind =
        is_deit
            ? read_class(config, "DeiT",
                         {"Model", "ForImageClassification", "ForImageClassificationWithTeacher"})
            : read_class(config, type == "vit_msn" ? "ViTMSN" : "ViT", {"Model", "ForImageClassification"});
    auto out = std::make_unique<Vit>();
    const size_t pooled = config.size({"pooler_output_size"}, plan.encoder.width, 65'536);
    out->pooler_activation_ = read_activation(config, {"pooler_act"}, "tanh");
    if (kind != "Model") out->purpose_ = {SignalPurpose::Task::image_classification, read_labels(config)};
    TRY_DONE(config.status());
    out->weights_ = std::make_unique<tensor::Weights>(std::move(weights));
    TRY_DONE(check_memory(*out->weights_, compute));
    const WeightReader reader(*out->weights_, plan.encoder.prefixes, compute, plan.encoder.renames);
    const size_t width = plan.encoder.width, labels = out->purpose_.labels.size();
    TRY(ImageTower tower, ImageTower::load(std::move(plan), reader));
    out->tower_ = std::make_unique<ImageTower>(std::move(tower));
    if (kind == "ForImageClassification") {
      TRY(out->classifier_, reader.linear("classifier", labels, width));
    } else if (kind == "ForImageClassificationWithTeacher") {
      TRY(out->classifier_, reader.linear("cls_classifier", labels, width));
      TRY(out->taught_, reader.linear("distillation_classifier", labels, width));
    } else if (reader.has("pooler.dense.weight")) {
      TRY(out->pooler_, reader.linear("pooler.dense", pooled, width));
    }
    return std::unique_ptr<SignalModel>(std::move(out));
  }

  const SignalPurpose& purpose() const override { return purpose_; }

  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override {
    TRY_DONE(check_arguments(inputs, {"pixel_values", "interpolate_pos_encoding"}));
    TRY(const Images images, read_images(inputs, tower_->plan().patches.channels));
    TRY(const bool interpolates, read_switch(inputs, "interpolate_pos_encoding"));
    TRY(const ImageRows hidden, tower_->forward(images, interpolates, threads));
    if (classifier_ != nullptr) return classify(hidden, threads);
    std::vector<NamedTensor> out;
    out.push_back(named("last_hidden_state", {hidden.images, hidden.rows, hidden.width}, hidden.data));
    if (pooler_ == nullptr) return out;
    const tensor::Floats pooled = run(*pooler_, hidden, 0, pooler_activation_, threads);
    out.push_back(named("pooler_output", {hidden.images, pooler_->width()}, pooled));
    return out;
  }

 private:
  static tensor::Floats run(const tensor::Linear& layer, const ImageRows& hidden, size_t row,
                            tensor::Activation activation, tensor::Threads& threads) {
    return apply(layer, hidden.of(0, row), hidden.images, hidden.rows * hidden.width, activation, threads);
  }

  std::vector<NamedTensor> classify(const ImageRows& hidden, tensor::Threads& threads) const {
    const std::vector<uint64_t> shape = {hidden.images, classifier_->width()};
    const tensor::Floats own = run(*classifier_, hidden, 0, tensor::Activation::none, threads);
    if (taught_ == nullptr) return {named("logits", shape, own)};
    const tensor::Floats taught = run(*taught_, hidden, 1, tensor::Activation::none, threads);
    NamedTensor mean = named("logits", shape, own);
    for (size_t i = 0; i < mean.data.size(); ++i) mean.data[i] = (own.data()[i] + taught.data()[i]) / 2;
    return {std::move(mean), named("cls_logits", shape, own), named("distillation_logits", shape, taught)};
  }

  std::unique_ptr<tensor::Weights> weights_;  // Its address must not change.
  std::unique_ptr<ImageTower> tower_;
  LinearLayer classifier_, taught_, pooler_;  // Null: none.
  tensor::Activation pooler_activation_ = tensor::Activation::tanh;
  SignalPurpose purpose_;
};

}  // namespace

OpenedSignal open_vit(const boost::json::object& config, tensor::Weights weights, tensor::Compute compute) {
  return Vit::open(config, std::move(weights), compute);
}

}  // namespace holdfast::model
