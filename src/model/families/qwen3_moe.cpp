#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Qwen3 whose feed-forward is experts in most layers.
void plan_qwen3_moe(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.key_heads = 4});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.head_norm = DecoderPlan::HeadNorm::each;
  add_rope(config, plan, {});
  const size_t window = config.flag({"use_sliding_window"}, false) ? read_window(config, 4'096) : 0;
  set_windows(config, plan, window, [](size_t, size_t) { return true; });
  ExpertsPlan experts;
  experts.count = config.size({"num_experts", "num_local_experts"}, 128, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, 8, 1'024);
  experts.inner = config.size({"moe_intermediate_size"}, 768);
  experts.normalized = config.flag({"norm_topk_prob"}, false);
  plan.experts = experts;
  place_experts(config, plan);
}

}  // namespace holdfast::model
