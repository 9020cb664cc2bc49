#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama whose layer norms have nothing to learn; queries, keys and values may be clipped.
void plan_olmo(ConfigReader& config, DecoderPlan& plan) {
  plan_llama(config, plan);
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_scales = false;
  plan.epsilon = 1e-5F;
  plan.clip = config.number({"clip_qkv"}, 0);
}

}  // namespace holdfast::model
