#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// The shape that the block's defaults describe.
void plan_llama(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  add_rope(config, plan, {});
}

}  // namespace holdfast::model
