#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama with biases everywhere or nowhere; neighbouring numbers turn together.
void plan_ernie4_5(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .tied = true, .key_heads = 2, .head_width = 128});
  plan.query_bias = plan.out_bias = plan.inner_bias = bias_if(config.flag({"use_bias"}, false));
  add_rope(config, plan, {500'000});
  plan.ropes[0].pairs = tensor::RopePairs::neighbours;
}

}  // namespace holdfast::model
