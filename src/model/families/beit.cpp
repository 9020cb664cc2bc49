// BEiT, and data2vec's images: ViT with a bias by how far apart patches are instead of positions.
#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/signals.h"
#include "model/memory_check.h"

namespace holdfast::model {
namespace {

constexpr size_t patches_max = 4'096;  // With a bias by distance.

ImageTowerPlan plan_beit(ConfigReader& config, bool is_data2vec) {
  ImageTowerPlan plan;
  plan_vit_layers(config, plan);
  EncoderPlan& encoder = plan.encoder;
  encoder.inner = config.size({"intermediate_size"}, 3'072);
  encoder.epsilon = config.number({"layer_norm_eps"}, 1e-12);
  encoder.attention_bias = Bias::if_there;  // Keys have none.
  plan.image = read_extent(config, "image_size", 224);
  plan.patches.kernel = read_extent(config, "patch_size", 16);
  plan.patches.name = "embeddings.patch_embeddings.projection";
  plan.tokens = {"embeddings.cls_token"};
  if (config.flag({"use_absolute_position_embeddings"}, false))
    plan.positions = "embeddings.position_embeddings";
  plan.other_sizes = ImageTowerPlan::OtherSizes::always;
  encoder.prefixes = {is_data2vec ? "data2vec_vision." : "beit."};
  add_layers(encoder, "encoder.layer.", config.size({"num_hidden_layers"}, 12, 256));
  name_vit_layers(encoder);
  if (config.number({"layer_scale_init_value"}, 0.1) > 0) {
    encoder.attention_scale = "lambda_1";
    encoder.out_scale = "lambda_2";
  }
  if (config.flag({"use_mean_pooling"}, true)) encoder.final_norm.clear();  // Of what is pooled alone.
  const bool own = config.flag({"use_relative_position_bias"}, false),
             shared = config.flag({"use_shared_relative_position_bias"}, false);
  if (!own && !shared) return plan;
  const Extent kernel = plan.patches.kernel;
  GridBias bias;
  bias.height = plan.image.height / kernel.height;
  bias.width = plan.image.width / kernel.width;
  if (own) bias.own = "attention.attention.relative_position_bias";
  if (shared) bias.shared = "encoder.relative_position_bias";
  encoder.renames.insert(encoder.renames.begin(),
                         {{"attention.attention.relative_position_bias", "relative_position_bias"},
                          {"encoder.relative_position_bias", "shared_position_bias"}});
  if (bias.height != bias.width)
    config.refuse(fail(Reason::model_unsupported,
                       "config.json: a relative position bias of images that are no squares"));
  if (bias.height * bias.width > patches_max)  // The bias grows with their square.
    config.refuse(
        fail(Reason::model_unsupported,
             fmt::format("config.json: a relative position bias of more than {} patches", patches_max)));
  encoder.grid_bias = bias;
  return plan;
}

class Beit final : public SignalModel {
 public:
  static Result<std::unique_ptr<SignalModel>> open(const boost::json::object& json, tensor::Weights weights,
                                                   tensor::Compute compute) {
    ConfigReader config(json);
    const bool is_data2vec = config.text({"model_type"}, "beit") == "data2vec-vision";
    ImageTowerPlan plan = plan_beit(config, is_data2vec);
    const std::string kind =
        read_class(config, is_data2vec ? "Data2VecVision" : "Beit", {"Model", "ForImageClassification"});
    auto out = std::make_unique<Beit>();
    if (kind != "Model") out->purpose_ = {SignalPurpose::Task::image_classification, read_labels(config)};
    TRY_DONE(config.status());
    out->weights_ = std::make_unique<tensor::Weights>(std::move(weights));
    TRY_DONE(check_memory(*out->weights_, compute));
    const WeightReader reader(*out->weights_, plan.encoder.prefixes, compute, plan.encoder.renames);
    const size_t width = plan.encoder.width;
    out->pools_mean_ = plan.encoder.final_norm.empty();
    if (out->pools_mean_ && (kind != "Model" || reader.has("pooler.layernorm.weight"))) {
      TRY(out->pooler_norm_, reader.norm("pooler.layernorm", width));
    }
    TRY(ImageTower tower, ImageTower::load(std::move(plan), reader));
    out->tower_ = std::make_unique<ImageTower>(std::move(tower));
    if (kind != "Model") {
      TRY(out->classifier_, reader.linear("classifier", out->purpose_.labels.size(), width));
    }
    return std::unique_ptr<SignalModel>(std::move(out));
  }

  const SignalPurpose& purpose() const override { return purpose_; }

  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override {
    TRY_DONE(check_arguments(inputs, {"pixel_values", "interpolate_pos_encoding"}));
    TRY(const Images images, read_images(inputs, tower_->plan().patches.channels));
    TRY_DONE(read_switch(inputs, "interpolate_pos_encoding"));  // Positions are always brought to the size.
    if (tower_->plan().encoder.grid_bias && !(images.size == tower_->plan().image))
      return fail(Reason::bad_request,
                  "images of another size than the model's bias by distance is for are not supported");
    TRY(const ImageRows hidden, tower_->forward(images, true, threads));
    const size_t width = hidden.width;
    std::vector<NamedTensor> out;
    if (classifier_ == nullptr)
      out.push_back(named("last_hidden_state", {hidden.images, hidden.rows, width}, hidden.data));
    if (classifier_ == nullptr && pools_mean_ && !pooler_norm_) return out;
    const tensor::Floats pooled = pool(hidden);
    if (classifier_ == nullptr) {
      out.push_back(named("pooler_output", {hidden.images, width}, pooled));
      return out;
    }
    const tensor::Floats logits =
        apply(*classifier_, pooled.data(), hidden.images, width, tensor::Activation::none, threads);
    return std::vector{named("logits", {hidden.images, classifier_->width()}, logits)};
  }

 private:
  // The normalized mean of the patches, or the row of the class.
  tensor::Floats pool(const ImageRows& hidden) const {
    const size_t width = hidden.width, first = tower_->plan().leading();
    tensor::Floats out(hidden.images * width);
    for (size_t image = 0; image < hidden.images; ++image) {
      float* at = out.data() + image * width;
      if (!pools_mean_) {
        std::copy_n(hidden.of(image, 0), width, at);
        continue;
      }
      std::fill_n(at, width, 0.0F);
      for (size_t row = first; row < hidden.rows; ++row)
        for (size_t i = 0; i < width; ++i) at[i] += hidden.of(image, row)[i];
      for (size_t i = 0; i < width; ++i) at[i] /= static_cast<float>(hidden.rows - first);
      tower_->encoder().kernels().layer_norm({at, at, pooler_norm_->gamma.data(), pooler_norm_->beta.data(),
                                              1, width, tower_->plan().encoder.epsilon});
    }
    return out;
  }

  std::unique_ptr<tensor::Weights> weights_;  // Its address must not change.
  std::unique_ptr<ImageTower> tower_;
  std::optional<Norm> pooler_norm_;
  LinearLayer classifier_;  // Null: none.
  bool pools_mean_ = true;
  SignalPurpose purpose_;
};

}  // namespace

OpenedSignal open_beit(const boost::json::object& config, tensor::Weights weights, tensor::Compute compute) {
  return Beit::open(config, std::move(weights), compute);
}

}  // namespace holdfast::model
