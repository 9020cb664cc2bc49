#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Granite whose feed-forward is experts, all of a layer in two tensors.
void plan_granitemoe(ConfigReader& config, DecoderPlan& plan) {
  plan_granite(config, plan);
  ExpertsPlan experts;
  experts.scores = ExpertsPlan::Scores::softmax_picked;
  experts.layout = ExpertsPlan::Layout::stacked;
  experts.count = config.size({"num_local_experts", "num_experts"}, 8, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, 2, 1'024);
  experts.inner = plan.inner;
  experts.router = "block_sparse_moe.router.layer";
  experts.experts = "block_sparse_moe";
  experts.up = "input_linear";
  experts.down = "output_linear";
  plan.experts = experts;
  for (DecoderPlan::Layer& layer : plan.layers) layer.experts = true;
}

}  // namespace holdfast::model
