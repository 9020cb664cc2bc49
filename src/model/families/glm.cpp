#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Half of each head turns, neighbouring numbers together; gate and values in one layer.
void plan_glm(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1.5625e-7, .key_heads = 2, .head_width = 128});
  plan.query_bias = bias_if(config.flag({"attention_bias"}, true));
  plan.gate_up = "mlp.gate_up_proj";
  add_rope(config, plan, {.part = 0.5});
  plan.ropes[0].pairs = tensor::RopePairs::neighbours;
}

// The same with norms of what each branch adds.
void plan_glm4(ConfigReader& config, DecoderPlan& plan) {
  plan_glm(config, plan);
  plan.attention_post_norm = "post_self_attn_layernorm";
  plan.inner_post_norm = "post_mlp_layernorm";
}

}  // namespace holdfast::model
