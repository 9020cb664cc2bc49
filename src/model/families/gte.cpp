#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// BERT with rotary positions and a gated feed-forward.
void plan_gte(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.positions = config.size({"max_position_embeddings"}, 8'192, 1 << 24);
  plan.position_kind = EncoderPlan::Positions::none;
  plan.types = config.size_or_zero({"type_vocab_size"}, 1, 1'024);
  plan.gated = true;
  plan.inner_bias = Bias::if_there;  // Only the second layer has one.
  plan.prefixes = {"gte."};
  name_as_bert(plan);
  plan.query = plan.key = plan.value = plan.query_key_value = "attention.qkv_proj";
  plan.attention_out = "attention.o_proj";
  plan.attention_norm = "attn_ln";
  plan.up_gate = plan.up = plan.gate = "mlp.up_gate_proj";
  plan.out = "mlp.down_proj";
  plan.out_norm = "mlp_ln";
  add_layers(plan, "encoder.layer.", layers);
  plan.ropes = {read_rope(config, plan.head_width, {160'000})};
  for (EncoderPlan::LayerKind& layer : plan.layers) layer.rope = 0;
  HeadNames heads;
  heads.pooled = {"pooler.dense", plan.width, Activation::tanh};
  heads.has_pooler = true;
  heads.fill_mask = {{"lm_head.dense", plan.width, Activation::gelu, "lm_head.norm"},
                     {.linear = "lm_head.decoder", .outputs = plan.vocabulary, .tied = plan.words}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
