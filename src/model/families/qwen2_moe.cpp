#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Qwen2 whose feed-forward is experts in most layers, beside one that every token passes.
void plan_qwen2_moe(ConfigReader& config, DecoderPlan& plan) {
  plan_qwen2(config, plan);
  plan.query_bias = bias_if(config.flag({"qkv_bias"}, true));
  ExpertsPlan experts;
  experts.count = config.size({"num_experts", "num_local_experts"}, 60, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, 4, 1'024);
  experts.inner = config.size({"moe_intermediate_size"}, 1'408);
  experts.normalized = config.flag({"norm_topk_prob"}, false);
  experts.shared = "mlp.shared_expert";
  experts.shared_inner = config.size({"shared_expert_intermediate_size"}, 5'632);
  experts.shared_gate = "mlp.shared_expert_gate";
  plan.experts = experts;
  place_experts(config, plan);
}

}  // namespace holdfast::model
