#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Mistral whose feed-forward is experts.
void plan_mixtral(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8});
  add_rope(config, plan, {1'000'000});
  set_windows(config, plan, read_window(config, 0), [](size_t, size_t) { return true; });
  ExpertsPlan experts;
  experts.count = config.size({"num_local_experts", "num_experts"}, 8, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, 2, 1'024);
  experts.inner = plan.inner;
  experts.router = "block_sparse_moe.gate";
  experts.experts = "block_sparse_moe.experts";
  experts.gate = "w1";
  experts.up = "w3";
  experts.down = "w2";
  plan.experts = experts;
  for (DecoderPlan::Layer& layer : plan.layers) layer.experts = true;
}

}  // namespace holdfast::model
