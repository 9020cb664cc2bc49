#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Experts in every layer, queries and keys normalized across their heads.
void plan_olmoe(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.head_norm = DecoderPlan::HeadNorm::across;
  plan.clip = config.number({"clip_qkv"}, 0);
  add_rope(config, plan, {});
  ExpertsPlan experts;
  experts.count = config.size({"num_experts", "num_local_experts"}, 64, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, 8, 1'024);
  experts.inner = plan.inner;
  experts.normalized = config.flag({"norm_topk_prob"}, false);
  plan.experts = experts;
  for (DecoderPlan::Layer& layer : plan.layers) layer.experts = true;
}

}  // namespace holdfast::model
