#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Norms only after each branch; queries and keys are normalized across their heads.
void plan_olmo2(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.head_norm = DecoderPlan::HeadNorm::across;
  plan.attention_norm.clear();
  plan.inner_norm.clear();
  plan.attention_post_norm = "post_attention_layernorm";
  plan.inner_post_norm = "post_feedforward_layernorm";
  add_rope(config, plan, {});
}

}  // namespace holdfast::model
