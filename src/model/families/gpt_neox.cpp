#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Joined by head, a quarter of each head turns, branches with norms of their own side by side.
void plan_gpt_neox(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "gelu", .epsilon = 1e-5});
  plan.prefixes = {"gpt_neox."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.inner_bias = Bias::with;
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, true));
  plan.gated = false;
  plan.parallel = config.flag({"use_parallel_residual"}, true);
  plan.words = "embed_in";
  plan.query_key_value = "attention.query_key_value";
  plan.joined_order = DecoderPlan::JoinedOrder::by_head;
  plan.attention_out = "attention.dense";
  plan.up = "mlp.dense_h_to_4h";
  plan.down = "mlp.dense_4h_to_h";
  plan.final_norm = "final_layer_norm";
  plan.head = "embed_out";
  add_rope(config, plan, {.part = 0.25});
}

}  // namespace holdfast::model
