#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Layer norms, a quarter of each head turns, branches may stand side by side.
void plan_stablelm(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5});
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = Bias::with;
  plan.query_bias = bias_if(config.flag({"use_qkv_bias"}, false));
  plan.parallel = config.flag({"use_parallel_residual"}, false);
  if (plan.parallel) plan.inner_norm.clear();
  if (config.flag({"qk_layernorm"}, false)) {
    plan.head_norm = DecoderPlan::HeadNorm::own;
    plan.head_norm_kind = DecoderPlan::NormKind::layer;
    plan.query_norm = "self_attn.q_layernorm";
    plan.key_norm = "self_attn.k_layernorm";
  }
  add_rope(config, plan, {.part = 0.25});
}

}  // namespace holdfast::model
