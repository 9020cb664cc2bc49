#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Granite whose logits are multiplied, perhaps with norms of what each branch adds.
void plan_hyperclovax(ConfigReader& config, DecoderPlan& plan) {
  plan_granite(config, plan);
  plan.logit_scale = config.number({"logits_scaling"}, 1);
  plan.scale = config.number({"attention_multiplier"}, 0);
  if (config.flag({"use_post_norm"}, false)) {
    plan.attention_post_norm = "post_norm1";
    plan.inner_post_norm = "post_norm2";
  }
}

}  // namespace holdfast::model
