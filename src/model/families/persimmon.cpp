#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Joined by head, normalized heads of which half turns, squared rectifiers without a gate.
void plan_persimmon(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "relu2", .epsilon = 1e-5});
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.query_bias = plan.out_bias = plan.inner_bias = Bias::with;
  plan.gated = false;
  plan.query_key_value = "self_attn.query_key_value";
  plan.joined_order = DecoderPlan::JoinedOrder::by_head;
  plan.attention_out = "self_attn.dense";
  plan.up = "mlp.dense_h_to_4h";
  plan.down = "mlp.dense_4h_to_h";
  plan.final_norm = "final_layernorm";
  if (config.flag({"qk_layernorm"}, true)) {
    plan.head_norm = DecoderPlan::HeadNorm::each;
    plan.head_norm_kind = DecoderPlan::NormKind::layer;
    plan.head_norm_bias = Bias::with;
    plan.query_norm = "self_attn.q_layernorm";
    plan.key_norm = "self_attn.k_layernorm";
  }
  add_rope(config, plan, {.part = 0.5});
}

}  // namespace holdfast::model
