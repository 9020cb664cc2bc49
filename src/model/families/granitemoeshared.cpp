#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Granite's experts beside one that reads every token.
void plan_granitemoeshared(ConfigReader& config, DecoderPlan& plan) {
  plan_granitemoe(config, plan);
  plan.experts->shared_inner = config.size_or_zero({"shared_intermediate_size"}, 0);
  if (plan.experts->shared_inner == 0) return;
  plan.experts->shared = "shared_mlp";
  plan.experts->shared_gate_up = "input_linear";
  plan.experts->shared_down = "output_linear";
}

}  // namespace holdfast::model
