#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama whose neighbouring numbers turn together.
void plan_helium(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-8, .head_width = 128});
  plan.query_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  add_rope(config, plan, {100'000});
  plan.ropes[0].pairs = tensor::RopePairs::neighbours;
}

}  // namespace holdfast::model
