#include <algorithm>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Queries and keys normalized across their heads; experts picked by corrected sigmoids.
void plan_minimax_m2(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.key_heads = 8, .head_width = 128});
  plan.head_norm = DecoderPlan::HeadNorm::across;
  // Published files say how many numbers of a head turn, not which part of it.
  const size_t turned = config.size({"rotary_dim"}, plan.head_width, 4'096);
  add_rope(
      config, plan,
      {5'000'000, static_cast<double>(turned) / static_cast<double>(std::max<size_t>(plan.head_width, 1))});
  add_sparse_block(config, plan, 256, 8);
  plan.experts->scores = ExpertsPlan::Scores::sigmoid_grouped;
  plan.experts->correction = "block_sparse_moe.e_score_correction_bias";
}

// Such experts behind Qwen3's attention, after a first layer without.
void plan_hy_v3(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8, .head_width = 128});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  plan.head_norm = DecoderPlan::HeadNorm::each;
  add_rope(config, plan, {11'158'840});
  add_grouped_experts(config, plan, {.count = 192, .picked = 8, .inner = 1'536, .dense = 1});
  ExpertsPlan& experts = *plan.experts;
  experts.factor = config.number({"router_scaling_factor"}, 2.826);
  experts.normalized = true;
  experts.groups = experts.groups_picked = 1;
  experts.router = "mlp.router.gate";
  experts.correction = "mlp.expert_bias";
  experts.shared = "mlp.shared_mlp";
  experts.shared_bias = plan.inner_bias;
}

}  // namespace holdfast::model
