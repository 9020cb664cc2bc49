#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama with biases on queries, keys and values.
void plan_seed_oss(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.key_heads = 8, .head_width = 128});
  plan.query_bias = bias_if(config.flag({"attention_bias"}, true));
  plan.out_bias = bias_if(config.flag({"attention_out_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  add_rope(config, plan, {});
}

}  // namespace holdfast::model
