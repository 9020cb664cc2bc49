#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Ernie whose feed-forward is experts in some layers, picked with a correction that their shares do not have.
void plan_ernie4_5_moe(ConfigReader& config, DecoderPlan& plan) {
  plan_ernie4_5(config, plan);
  if (!config.has("num_key_value_heads")) plan.key_heads = 4;
  if (!config.has("head_dim")) plan.head_width = plan.value_width = plan.width / plan.heads;
  if (plan.heads % plan.key_heads != 0 || plan.head_width * plan.heads != plan.width)
    config.refuse(fail(Reason::bad_request, "config.json: the heads cannot be"));
  add_rope(config, plan, {500'000});
  plan.ropes[0].pairs = tensor::RopePairs::neighbours;
  plan.head_bias = plan.inner_bias;
  ExpertsPlan experts;
  experts.scores = ExpertsPlan::Scores::softmax_corrected;
  experts.correction = "mlp.moe_statics.e_score_correction_bias";
  experts.count = config.size({"moe_num_experts", "num_experts"}, 64, 1'024);
  experts.picked = config.size({"moe_k", "num_experts_per_tok"}, 6, 1'024);
  experts.inner = config.size({"moe_intermediate_size"}, 1'536);
  experts.share_min = config.number({"moe_norm_min"}, 1e-12);
  if (const size_t shared = config.size_or_zero({"moe_num_shared_experts"}, 2, 64); shared > 0) {
    experts.shared = "mlp.shared_experts";
    experts.shared_inner = experts.inner * shared;
    experts.shared_bias = plan.inner_bias;
  }
  plan.experts = experts;
  const size_t start = config.size_or_zero({"moe_layer_start_index"}, 1, 1'024);
  const size_t interval = config.size({"moe_layer_interval"}, 1, 1'024);
  const float last = config.number({"moe_layer_end_index"}, -1);  // -1: the last layer there is.
  for (size_t i = 0; i < plan.layers.size(); ++i)
    plan.layers[i].experts =
        (i + 1) % interval == 0 && i >= start && (last == -1 || static_cast<float>(i) <= last);
}

}  // namespace holdfast::model
