// CLIP and SigLIP: a tower of images and one of words that meet, and each of them alone.
#include <algorithm>
#include <boost/json/object.hpp>
#include <cmath>
#include <optional>

#include "model/families/encoder_parts.h"
#include "model/families/image_parts.h"
#include "model/families/labels.h"
#include "model/families/signals.h"
#include "model/memory_check.h"
#include "model/vision/attention_pooling.h"
#include "model/vision/text_tower.h"

namespace holdfast::model {
namespace {

enum class Family : uint8_t { clip, siglip };
enum class Part : uint8_t { both, text, vision };

// What both towers have in common.
struct TowerSizes {
  size_t width = 0, heads = 0, inner = 0, layers = 0;
  float epsilon = 0;
  tensor::Activation activation = tensor::Activation::gelu_quick;
};

TowerSizes read_tower(ConfigReader& config, Family family, bool is_text) {
  const bool clip = family == Family::clip;
  TowerSizes out;
  out.width = config.size({"hidden_size"}, clip && is_text ? 512 : 768, 16'384);
  out.heads = config.size({"num_attention_heads"}, clip && is_text ? 8 : 12, 1'024);
  out.inner = config.size({"intermediate_size"}, clip && is_text ? 2'048 : 3'072);
  out.layers = config.size({"num_hidden_layers"}, 12, 256);
  out.epsilon = config.number({"layer_norm_eps"}, clip ? 1e-5 : 1e-6);
  out.activation = read_activation(config, {"hidden_act"}, clip ? "quick_gelu" : "gelu_pytorch_tanh");
  if (out.width % out.heads != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: hidden_size is not a multiple of num_attention_heads"));
  return out;
}

EncoderPlan plan_tower(const TowerSizes& sizes, std::string prefix) {
  EncoderPlan plan;
  plan.prefixes = {std::move(prefix)};
  plan.width = plan.embedding_width = sizes.width;
  plan.heads = sizes.heads;
  plan.head_width = std::max<size_t>(sizes.width / sizes.heads, 1);
  plan.inner = sizes.inner;
  plan.epsilon = sizes.epsilon;
  plan.activation = sizes.activation;
  plan.norm_place = EncoderPlan::NormPlace::before;
  add_layers(plan, "encoder.layers.", sizes.layers);
  plan.query = "self_attn.q_proj";
  plan.key = "self_attn.k_proj";
  plan.value = "self_attn.v_proj";
  plan.attention_out = "self_attn.out_proj";
  plan.attention_norm = "layer_norm1";
  plan.up = "mlp.fc1";
  plan.out = "mlp.fc2";
  plan.out_norm = "layer_norm2";
  return plan;
}

DecoderPlan plan_causal_tower(const TowerSizes& sizes, std::string prefix) {
  DecoderPlan plan;
  plan.family = "clip_text_model";
  plan.prefixes = {std::move(prefix)};
  plan.width = plan.embedding_width = sizes.width;
  plan.heads = plan.key_heads = sizes.heads;
  plan.head_width = plan.value_width = std::max<size_t>(sizes.width / sizes.heads, 1);
  plan.inner = sizes.inner;
  plan.epsilon = sizes.epsilon;
  plan.activation = sizes.activation;
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.query_bias = plan.out_bias = plan.inner_bias = Bias::with;
  plan.gated = false;
  plan.words = "embeddings.token_embedding";
  plan.position_table = "embeddings.position_embedding";
  plan.layer_prefix = "encoder.layers.";
  plan.attention_out = "self_attn.out_proj";
  plan.up = "mlp.fc1";
  plan.down = "mlp.fc2";
  plan.attention_norm = "layer_norm1";
  plan.inner_norm = "layer_norm2";
  plan.final_norm = "final_layer_norm";
  plan.layers.resize(sizes.layers);
  for (DecoderPlan::Layer& layer : plan.layers) layer.rope = -1;
  return plan;
}

TextTowerPlan plan_text(ConfigReader& config, Family family) {
  using Pooled = TextTowerPlan::Pooled;
  const TowerSizes sizes = read_tower(config, family, true);
  const std::string prefix = "text_model.";
  TextTowerPlan plan;
  plan.width = sizes.width;
  const size_t vocabulary = config.size({"vocab_size"}, family == Family::clip ? 49'408 : 32'000, 4'000'000);
  plan.positions = config.size({"max_position_embeddings"}, family == Family::clip ? 77 : 64, 1 << 20);
  if (family == Family::clip) {
    plan.end_id = static_cast<int64_t>(config.size_or_zero({"eos_token_id"}, 49'407, UINT32_MAX));
    // 2 stands in the configurations of before the end was looked for by its id.
    plan.pooled = plan.end_id == 2 ? Pooled::highest_id : Pooled::first_end;
    DecoderPlan block = plan_causal_tower(sizes, prefix);
    block.vocabulary = vocabulary;
    block.positions = plan.positions;
    plan.block = std::move(block);
    return plan;
  }
  plan.pooled = Pooled::last;
  EncoderPlan block = plan_tower(sizes, prefix);
  block.vocabulary = vocabulary;
  block.positions = block.position_rows = plan.positions;
  block.words = "embeddings.token_embedding";
  block.position_table = "embeddings.position_embedding";
  block.final_norm = "final_layer_norm";
  plan.block = std::move(block);
  return plan;
}

ImageTowerPlan plan_vision(ConfigReader& config, Family family) {
  const TowerSizes sizes = read_tower(config, family, false);
  ImageTowerPlan plan;
  plan.encoder = plan_tower(sizes, "vision_model.");
  plan.patches.channels = config.size({"num_channels"}, 3, 1'024);
  plan.patches.width = sizes.width;
  plan.patches.name = "embeddings.patch_embedding";
  plan.image = read_extent(config, "image_size", 224);
  plan.patches.kernel = read_extent(config, "patch_size", family == Family::clip ? 32 : 16);
  plan.positions = "embeddings.position_embedding";
  plan.positions_are_rows = true;
  if (family == Family::clip) {
    plan.patches.bias = Bias::without;
    plan.tokens = {"embeddings.class_embedding"};
    plan.encoder.embedding_norm = "pre_layrnorm";  // As it is spelled.
  } else {
    plan.encoder.final_norm = "post_layernorm";
  }
  return plan;
}

// text_config_dict counts instead of text_config where a configuration of early days has both.
const boost::json::object& part_of(ConfigReader& config, std::string_view name) {
  static const boost::json::object none;
  const boost::json::object* early = config.object(std::string(name) + "_dict");
  const boost::json::object* part = early != nullptr ? early : config.object(name);
  return part != nullptr ? *part : none;
}

// Each row to length one.
void normalize_rows(tensor::Floats& rows, size_t width) {
  for (size_t at = 0; at + width <= rows.size(); at += width) {
    float sum = 0;
    for (size_t i = 0; i < width; ++i) sum += rows.data()[at + i] * rows.data()[at + i];
    for (size_t i = 0; i < width; ++i) rows.data()[at + i] /= std::sqrt(sum);
  }
}

class ImageAndText final : public SignalModel {
 public:
  static Result<std::unique_ptr<SignalModel>> open(const boost::json::object& json, tensor::Weights weights,
                                                   tensor::Compute compute, Family family, Part part);

  const SignalPurpose& purpose() const override { return purpose_; }
  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override;

 private:
  struct Side {
    std::vector<NamedTensor> all;  // last_hidden_state and pooler_output, as far as they are there.
    tensor::Floats pooled;
    size_t count = 0, width = 0;
  };
  Status load_text(TextTowerPlan plan, const WeightReader& reader, size_t projected, Part part);
  Status load_vision(ImageTowerPlan plan, const WeightReader& reader, size_t projected, Part part);
  Result<Side> read_texts(const tensor::Weights& inputs, tensor::Threads& threads) const;
  Result<Side> read_pictures(const tensor::Weights& inputs, tensor::Threads& threads) const;
  std::vector<NamedTensor> classify(const ImageRows& rows, tensor::Threads& threads) const;
  Result<std::vector<NamedTensor>> alone(Side side, std::string_view embeds) const;
  Result<std::vector<NamedTensor>> compare(const tensor::Weights& inputs, tensor::Threads& threads) const;

  Family family_ = Family::clip;
  Part part_ = Part::both;
  bool projects_ = false;                     // A tower alone with its projection.
  bool has_head_ = true;                      // SigLIP's vision tower without one has no pooled output.
  std::unique_ptr<tensor::Weights> weights_;  // Its address must not change.
  std::unique_ptr<TextTower> text_;           // As the next one, null where it is not there.
  std::unique_ptr<ImageTower> vision_;
  std::unique_ptr<AttentionPooling> pooling_;
  std::optional<Norm> pooled_norm_;
  LinearLayer text_head_;  // SigLIP's, before any projection.
  LinearLayer text_projection_, visual_projection_, classifier_;
  float scale_ = 1, shift_ = 0;  // Of the scores.
  SignalPurpose purpose_;
};

Result<float> one_number(const WeightReader& reader, std::string_view name) {
  const auto flat = reader.view(name, {});
  TRY(const std::vector<float> number, flat.ok() ? reader.floats(name, {}) : reader.floats(name, {1}));
  return number[0];
}

Result<std::unique_ptr<SignalModel>> ImageAndText::open(const boost::json::object& json,
                                                        tensor::Weights weights, tensor::Compute compute,
                                                        Family family, Part part) {
  ConfigReader config(json);
  const bool clip = family == Family::clip;
  const std::string_view name = clip ? "CLIP" : "Siglip";
  auto out = std::make_unique<ImageAndText>();
  out->family_ = family;
  out->part_ = part;
  std::string kind;
  if (part == Part::both)
    kind = read_class(config, name, {"Model", "ForImageClassification"});
  else if (part == Part::text)
    kind = clip ? read_class(config, name, {"TextModel", "TextModelWithProjection"})
                : read_class(config, name, {"TextModel"});
  else
    kind = clip ? read_class(config, name, {"VisionModel", "VisionModelWithProjection"})
                : read_class(config, name, {"VisionModel"});
  out->projects_ = kind.ends_with("WithProjection");
  const bool classifies = kind == "ForImageClassification";
  std::optional<TextTowerPlan> text;
  std::optional<ImageTowerPlan> vision;
  ConfigReader texts(part == Part::both ? part_of(config, "text_config") : json);
  ConfigReader pictures(part == Part::both ? part_of(config, "vision_config") : json);
  if (part != Part::vision && !classifies) text = plan_text(texts, family);
  if (part != Part::text) vision = plan_vision(pictures, family);
  size_t text_width = config.size({"projection_dim"}, 512, 65'536);
  const size_t image_width = text_width;
  if (!clip && text) text_width = texts.size({"projection_size"}, text->width, 65'536);
  out->has_head_ = clip || pictures.flag({"vision_use_head"}, true);
  if (classifies) out->purpose_ = {SignalPurpose::Task::image_classification, read_labels(config)};
  if (kind == "Model") out->purpose_.task = SignalPurpose::Task::zero_shot_image_classification;
  TRY_DONE(config.status());
  TRY_DONE(texts.status());
  TRY_DONE(pictures.status());
  out->weights_ = std::make_unique<tensor::Weights>(std::move(weights));
  TRY_DONE(check_memory(*out->weights_, compute));
  if (text) {
    const WeightReader reader(*out->weights_, {"text_model."}, compute);
    TRY_DONE(out->load_text(std::move(*text), reader, text_width, part));
  }
  if (vision) {
    const WeightReader reader(*out->weights_, {"vision_model."}, compute);
    const size_t width = vision->encoder.width;
    TRY_DONE(out->load_vision(std::move(*vision), reader, image_width, part));
    if (classifies) {
      TRY(out->classifier_, reader.linear("classifier", out->purpose_.labels.size(), width));
    }
  }
  if (kind != "Model") return std::unique_ptr<SignalModel>(std::move(out));
  const WeightReader reader(*out->weights_, std::vector<std::string>{}, compute);
  TRY(const float scale, one_number(reader, "logit_scale"));
  out->scale_ = std::exp(scale);
  if (!clip) {
    TRY(out->shift_, one_number(reader, "logit_bias"));
  }
  return std::unique_ptr<SignalModel>(std::move(out));
}

Status ImageAndText::load_text(TextTowerPlan plan, const WeightReader& reader, size_t projected, Part part) {
  const size_t width = plan.width;
  TRY(TextTower tower, TextTower::load(std::move(plan), reader));
  text_ = std::make_unique<TextTower>(std::move(tower));
  if (family_ == Family::siglip) {
    TRY(text_head_, reader.linear("head", projected, width));
  } else if (part == Part::both || projects_) {
    TRY(text_projection_, reader.linear("text_projection", projected, width, Bias::without));
  }
  return Done{};
}

Status ImageAndText::load_vision(ImageTowerPlan plan, const WeightReader& reader, size_t projected,
                                 Part part) {
  const EncoderPlan& encoder = plan.encoder;
  const size_t width = encoder.width;
  if (family_ == Family::siglip && has_head_) {
    TRY(AttentionPooling pooling,
        AttentionPooling::load(
            {"head.", width, encoder.heads, encoder.inner, encoder.epsilon, encoder.activation}, reader));
    pooling_ = std::make_unique<AttentionPooling>(std::move(pooling));
  }
  if (family_ == Family::clip) {
    TRY(pooled_norm_, reader.norm("post_layernorm", width));
    if (projects_ || (part == Part::both && purpose_.labels.empty())) {
      TRY(visual_projection_, reader.linear("visual_projection", projected, width, Bias::without));
    }
  }
  TRY(ImageTower tower, ImageTower::load(std::move(plan), reader));
  vision_ = std::make_unique<ImageTower>(std::move(tower));
  return Done{};
}

Result<ImageAndText::Side> ImageAndText::read_texts(const tensor::Weights& inputs,
                                                    tensor::Threads& threads) const {
  TRY(TextTower::Rows rows, text_->forward(inputs, threads));
  Side out;
  out.count = rows.texts;
  out.width = text_->plan().width;
  out.pooled = std::move(rows.pooled);
  if (text_head_ != nullptr) {
    out.pooled =
        apply(*text_head_, out.pooled.data(), out.count, out.width, tensor::Activation::none, threads);
    out.width = text_head_->width();
  }
  out.all.push_back(std::move(rows.hidden));
  out.all.push_back(named("pooler_output", {out.count, out.width}, out.pooled));
  if (text_projection_ == nullptr) return out;
  out.pooled =
      apply(*text_projection_, out.pooled.data(), out.count, out.width, tensor::Activation::none, threads);
  out.width = text_projection_->width();
  return out;
}

Result<ImageAndText::Side> ImageAndText::read_pictures(const tensor::Weights& inputs,
                                                       tensor::Threads& threads) const {
  TRY(const Images images, read_images(inputs, vision_->plan().patches.channels));
  TRY(const bool interpolates, read_switch(inputs, "interpolate_pos_encoding"));
  TRY(const ImageRows rows, vision_->forward(images, interpolates, threads));
  Side out;
  out.count = rows.images;
  out.width = rows.width;
  if (classifier_ != nullptr) {
    out.all = classify(rows, threads);
    return out;
  }
  out.all.push_back(named("last_hidden_state", {rows.images, rows.rows, rows.width}, rows.data));
  if (pooling_ != nullptr) {
    out.pooled = pooling_->run(rows, threads);
  } else if (pooled_norm_) {
    out.pooled = tensor::Floats(rows.images * rows.width);
    for (size_t image = 0; image < rows.images; ++image)
      vision_->encoder().kernels().layer_norm({rows.of(image, 0), out.pooled.data() + image * rows.width,
                                               pooled_norm_->gamma.data(), pooled_norm_->beta.data(), 1,
                                               rows.width, vision_->plan().encoder.epsilon});
  } else {
    return out;
  }
  out.all.push_back(named("pooler_output", {out.count, out.width}, out.pooled));
  if (visual_projection_ == nullptr) return out;
  out.pooled =
      apply(*visual_projection_, out.pooled.data(), out.count, out.width, tensor::Activation::none, threads);
  out.width = visual_projection_->width();
  return out;
}

// By the mean of the patches.
std::vector<NamedTensor> ImageAndText::classify(const ImageRows& rows, tensor::Threads& threads) const {
  const size_t first = vision_->plan().leading(), width = rows.width;
  tensor::Floats means(rows.images * width);
  std::fill_n(means.data(), means.size(), 0.0F);
  for (size_t image = 0; image < rows.images; ++image) {
    float* mean = means.data() + image * width;
    for (size_t row = first; row < rows.rows; ++row)
      for (size_t i = 0; i < width; ++i) mean[i] += rows.of(image, row)[i];
    for (size_t i = 0; i < width; ++i) mean[i] /= static_cast<float>(rows.rows - first);
  }
  const tensor::Floats logits =
      apply(*classifier_, means.data(), rows.images, width, tensor::Activation::none, threads);
  return {named("logits", {rows.images, classifier_->width()}, logits)};
}

Result<std::vector<NamedTensor>> ImageAndText::alone(Side side, std::string_view embeds) const {
  if (!projects_) return std::move(side.all);
  std::vector<NamedTensor> out;
  out.push_back(named(embeds, {side.count, side.width}, side.pooled));
  for (NamedTensor& one : side.all)
    if (one.name == "last_hidden_state") out.push_back(std::move(one));
  return out;
}

// What is given of images and texts, and the scores where both are.
Result<std::vector<NamedTensor>> ImageAndText::compare(const tensor::Weights& inputs,
                                                       tensor::Threads& threads) const {
  const bool has_texts = inputs.find("input_ids") != nullptr,
             has_images = inputs.find("pixel_values") != nullptr;
  if (!has_texts && !has_images)
    return fail(Reason::bad_request, "neither input_ids nor pixel_values are there");
  if (has_images && !has_head_)
    return fail(Reason::model_unsupported, "images cannot be compared without vision_use_head");
  std::vector<NamedTensor> out;
  Side texts, images;
  if (has_texts) {
    TRY(texts, read_texts(inputs, threads));
    normalize_rows(texts.pooled, texts.width);
    out.push_back(named("text_embeds", {texts.count, texts.width}, texts.pooled));
  }
  if (has_images) {
    TRY(images, read_pictures(inputs, threads));
    normalize_rows(images.pooled, images.width);
    out.push_back(named("image_embeds", {images.count, images.width}, images.pooled));
  }
  if (has_texts && has_images) {
    if (texts.width != images.width)
      return fail(Reason::bad_request, "the towers' widths differ, so that nothing can be compared");
    NamedTensor by_image{"logits_per_image", {images.count, texts.count}, {}}, by_text = by_image;
    by_text = {"logits_per_text", {texts.count, images.count}, {}};
    by_image.data.resize(images.count * texts.count);
    by_text.data.resize(images.count * texts.count);
    for (size_t text = 0; text < texts.count; ++text)
      for (size_t image = 0; image < images.count; ++image) {
        float sum = 0;
        for (size_t i = 0; i < texts.width; ++i)
          sum += texts.pooled.data()[text * texts.width + i] * images.pooled.data()[image * texts.width + i];
        const float score = sum * scale_ + shift_;
        by_image.data[image * texts.count + text] = by_text.data[text * images.count + image] = score;
      }
    out.push_back(std::move(by_image));
    out.push_back(std::move(by_text));
  }
  for (NamedTensor& one : texts.all) {
    one.name = "text." + one.name;
    out.push_back(std::move(one));
  }
  for (NamedTensor& one : images.all) {
    one.name = "vision." + one.name;
    out.push_back(std::move(one));
  }
  return out;
}

Result<std::vector<NamedTensor>> ImageAndText::forward(const tensor::Weights& inputs,
                                                       tensor::Threads& threads) const {
  if (part_ == Part::text) {
    TRY_DONE(check_arguments(inputs, {"input_ids", "attention_mask", "position_ids"}));
    TRY(Side side, read_texts(inputs, threads));
    return alone(std::move(side), "text_embeds");
  }
  if (part_ == Part::vision || classifier_ != nullptr) {
    TRY_DONE(check_arguments(inputs, {"pixel_values", "interpolate_pos_encoding"}));
    TRY(Side side, read_pictures(inputs, threads));
    return alone(std::move(side), "image_embeds");
  }
  TRY_DONE(check_arguments(
      inputs, {"input_ids", "attention_mask", "position_ids", "pixel_values", "interpolate_pos_encoding"}));
  return compare(inputs, threads);
}

}  // namespace

OpenedSignal open_clip(const boost::json::object& config, tensor::Weights weights, tensor::Compute compute) {
  ConfigReader reader(config);
  const std::string type = reader.text({"model_type"}, "clip");
  return ImageAndText::open(config, std::move(weights), compute,
                            type.starts_with("siglip") ? Family::siglip : Family::clip,
                            type.ends_with("text_model")     ? Part::text
                            : type.ends_with("vision_model") ? Part::vision
                                                             : Part::both);
}

}  // namespace holdfast::model
