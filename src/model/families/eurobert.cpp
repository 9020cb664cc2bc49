#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// Llama's layers seeing both ways.
void plan_eurobert(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.activation_fallback = "silu";
  const size_t layers = read_sizes(config, plan, keys);
  plan.types = 0;
  plan.epsilon = config.number({"rms_norm_eps"}, 1e-5);
  plan.head_width = config.size({"head_dim"}, plan.head_width, 16'384);
  plan.key_heads = config.size({"num_key_value_heads"}, plan.heads, 1'024);
  if (plan.heads % plan.key_heads != 0)
    config.refuse(fail(Reason::bad_request, "config.json: num_key_value_heads does not divide the heads"));
  plan.positions = config.size({"max_position_embeddings"}, 8'192, 1 << 24);
  plan.position_kind = EncoderPlan::Positions::none;
  plan.norm_place = EncoderPlan::NormPlace::before;
  plan.norm_kind = EncoderPlan::NormKind::root_mean_square;
  plan.norm_bias = Bias::without;
  plan.attention_bias = config.flag({"attention_bias"}, false) ? Bias::with : Bias::without;
  plan.inner_bias = config.flag({"mlp_bias"}, false) ? Bias::with : Bias::without;
  plan.gated = true;
  plan.prefixes = {"model."};
  plan.words = "embed_tokens";
  plan.query = "self_attn.q_proj";
  plan.key = "self_attn.k_proj";
  plan.value = "self_attn.v_proj";
  plan.attention_out = "self_attn.o_proj";
  plan.attention_norm = "input_layernorm";
  plan.gate = "mlp.gate_proj";
  plan.up = "mlp.up_proj";
  plan.out = "mlp.down_proj";
  plan.out_norm = "post_attention_layernorm";
  plan.final_norm = "norm";
  add_layers(plan, "layers.", layers);
  plan.ropes = {read_rope(config, plan.head_width, {10'000})};
  for (EncoderPlan::LayerKind& layer : plan.layers) layer.rope = 0;
  HeadNames heads;
  heads.pooled = {"dense", plan.width, Activation::gelu};
  const std::string pooling = config.text({"classifier_pooling"}, "late");
  heads.pooled_rows = pooling == "bos"    ? HeadPlan::Rows::first
                      : pooling == "mean" ? HeadPlan::Rows::mean
                                          : HeadPlan::Rows::late;
  heads.fill_mask = {
      {.linear = "lm_head", .outputs = plan.vocabulary, .bias = plan.inner_bias, .tied = plan.words}};
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
