#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Attention and feed-forward of the same norm side by side; half of each head turns.
void plan_phi(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "gelu_new", .epsilon = 1e-5});
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.query_bias = plan.out_bias = plan.inner_bias = plan.head_bias = Bias::with;
  plan.parallel = true;
  plan.gated = false;
  plan.inner_norm.clear();
  plan.final_norm = "final_layernorm";
  plan.attention_out = "self_attn.dense";
  plan.up = "mlp.fc1";
  plan.down = "mlp.fc2";
  if (config.flag({"qk_layernorm"}, false)) {
    plan.head_norm = DecoderPlan::HeadNorm::each;
    plan.head_norm_kind = DecoderPlan::NormKind::layer;
    plan.head_norm_bias = Bias::with;
    plan.query_norm = "self_attn.q_layernorm";
    plan.key_norm = "self_attn.k_layernorm";
  }
  add_rope(config, plan, {.part = 0.5});
}

}  // namespace holdfast::model
