#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Sinusoids for positions, scaled words, biases everywhere.
void plan_xglm(ConfigReader& config, DecoderPlan& plan) {
  plan_biogpt(config, plan);
  plan.prefixes = {"model."};
  plan.head = "lm_head";
  plan.takes_mask_positions = false;
  plan.position_table.clear();
  plan.sinusoid = Sinusoid::fairseq;
}

}  // namespace holdfast::model
