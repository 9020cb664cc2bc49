#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama whose feed-forward has squared rectifiers and no gate.
void plan_arcee(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "relu2", .epsilon = 1e-5});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  plan.gated = false;
  add_rope(config, plan, {});
}

}  // namespace holdfast::model
