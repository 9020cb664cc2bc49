#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// No positions but a slope by distance, a norm after the embeddings, joined by head.
void plan_bloom(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "gelu_new", .epsilon = 1e-5, .tied = true});
  plan.activation = tensor::Activation::gelu_tanh;  // Not in its config.json.
  plan.inner = 4 * plan.width;
  plan.prefixes = {"transformer."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.query_bias = plan.out_bias = plan.inner_bias = Bias::with;
  plan.gated = false;
  plan.alibi = true;
  plan.residual_after_norm = config.flag({"apply_residual_connection_post_layernorm"}, false);
  plan.words = "word_embeddings";
  plan.embedding_norm = "word_embeddings_layernorm";
  plan.layer_prefix = "h.";
  plan.query_key_value = "self_attention.query_key_value";
  plan.joined_order = DecoderPlan::JoinedOrder::by_head;
  plan.attention_out = "self_attention.dense";
  plan.up = "mlp.dense_h_to_4h";
  plan.down = "mlp.dense_4h_to_h";
  plan.final_norm = "ln_f";
  for (DecoderPlan::Layer& layer : plan.layers) layer.rope = -1;
}

}  // namespace holdfast::model
