#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// OLMo 2 whose feed-forward is experts.
void plan_flex_olmo(ConfigReader& config, DecoderPlan& plan) {
  plan_olmo2(config, plan);
  plan.epsilon = config.number({"rms_norm_eps"}, 1e-6);
  add_rope(config, plan, {500'000});
  ExpertsPlan experts;
  experts.count = config.size({"num_experts", "num_local_experts"}, 7, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, 5, 1'024);
  experts.inner = plan.inner;
  experts.normalized = config.flag({"norm_topk_prob"}, false);
  plan.experts = experts;
  for (DecoderPlan::Layer& layer : plan.layers) layer.experts = true;
}

}  // namespace holdfast::model
