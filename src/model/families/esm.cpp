#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// Proteins letter by letter: RoBERTa with rotary positions, its norms before each branch and one after the
// last layer, and perhaps without a norm over the embeddings.
void plan_esm(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.activation = {};
  const size_t layers = read_sizes(config, plan, keys);
  plan.types = 0;
  plan.prefixes = {"esm."};
  name_as_bert(plan);
  add_layers(plan, "encoder.layer.", layers);
  plan.norm_place = EncoderPlan::NormPlace::before;
  plan.embedding_norm = config.flag({"emb_layer_norm_before"}, false) ? "embeddings.layer_norm" : "";
  plan.attention_norm = "attention.LayerNorm";
  plan.out_norm = "LayerNorm";
  plan.final_norm = "encoder.emb_layer_norm_after";
  plan.pad_id = static_cast<int64_t>(config.size_or_zero({"pad_token_id"}, 1, 4'000'000));
  plan.zeroes_padding = true;
  if (config.text({"position_embedding_type"}, "absolute") == "absolute") {
    plan.position_kind = EncoderPlan::Positions::past_padding;
    add_position_table(config, plan, static_cast<size_t>(plan.pad_id) + 1);
  } else {
    plan.position_kind = EncoderPlan::Positions::none;
    plan.ropes = {read_rope(config, plan.head_width, {10'000})};
    for (EncoderPlan::LayerKind& layer : plan.layers) layer.rope = 0;
  }
  if (config.flag({"token_dropout"}, false))
    plan.dropped_id = static_cast<int64_t>(config.size_or_zero({"mask_token_id"}, 0, 4'000'000));
  if (config.flag({"is_folding_model"}, false))
    config.refuse(fail(Reason::model_unsupported, "models that fold proteins are not supported"));
  add_heads(config, plan, roberta_heads(plan));
}

}  // namespace holdfast::model
