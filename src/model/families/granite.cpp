#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama with a factor on embeddings, branches, scores and logits.
void plan_granite(ConfigReader& config, DecoderPlan& plan) {
  plan_llama(config, plan);
  plan.embedding_scale = config.number({"embedding_multiplier"}, 1);
  plan.residual_scale = config.number({"residual_multiplier"}, 1);
  plan.scale = config.number({"attention_multiplier"}, 1);
  const float divisor = config.number({"logits_scaling"}, 1);
  if (divisor == 0) config.refuse(fail(Reason::bad_request, "config.json: logits_scaling is 0"));
  plan.logit_scale = 1.0F / divisor;
}

}  // namespace holdfast::model
