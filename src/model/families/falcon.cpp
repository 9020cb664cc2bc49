#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Three generations in one: joined by group or by head, one or two norms side by side, slopes or rotation.
void plan_falcon(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "gelu", .epsilon = 1e-5, .tied = true});
  const bool fresh = config.flag({"new_decoder_architecture"}, false);
  const bool one_key = config.flag({"multi_query"}, true);
  const bool parallel = config.flag({"parallel_attn"}, true);
  const size_t key_heads = config.size({"num_kv_heads", "n_head_kv"}, plan.heads, 1'024);
  plan.key_heads = fresh || !one_key ? key_heads : 1;
  plan.joined_order =
      fresh || one_key ? DecoderPlan::JoinedOrder::by_group : DecoderPlan::JoinedOrder::by_head;
  if (plan.heads % plan.key_heads != 0)
    config.refuse(fail(Reason::bad_request, "config.json: heads is not a multiple of key heads"));
  plan.prefixes = {"transformer."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = Bias::with;
  plan.query_bias = plan.out_bias = plan.inner_bias = bias_if(config.flag({"bias"}, false));
  plan.gated = false;
  plan.parallel = fresh || parallel;
  plan.words = "word_embeddings";
  plan.layer_prefix = "h.";
  plan.query_key_value = "self_attention.query_key_value";
  plan.attention_out = "self_attention.dense";
  plan.up = "mlp.dense_h_to_4h";
  plan.down = "mlp.dense_4h_to_h";
  plan.final_norm = "ln_f";
  const size_t norms = config.size({"num_ln_in_parallel_attn"}, fresh ? 2 : 1, 2);
  if (plan.parallel && norms == 2) {
    plan.attention_norm = "ln_attn";
    plan.inner_norm = "ln_mlp";
  } else if (plan.parallel) {
    plan.inner_norm.clear();
  }
  plan.alibi = plan.alibi_coarse = config.flag({"alibi"}, false);
  add_rope(config, plan, {});
  if (plan.alibi)
    for (DecoderPlan::Layer& layer : plan.layers) layer.rope = -1;
}

}  // namespace holdfast::model
