#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Gemma 2 without norms of what its branches add.
void plan_vaultgemma(ConfigReader& config, DecoderPlan& plan) {
  plan_gemma2(config, plan);
  plan.attention_post_norm.clear();
  plan.inner_post_norm.clear();
}

}  // namespace holdfast::model
