#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// GPT-2's shape with computed positions, scaled words, and an epsilon of the layers that no key changes.
void plan_ctrl(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "relu", .tied = true});
  plan.activation = tensor::Activation::relu;
  plan.final_epsilon = plan.epsilon;
  plan.epsilon = 1e-6F;
  plan.inner = config.size({"dff"}, 8'192, 1 << 20);
  plan.positions = config.size({"n_positions", "max_position_embeddings"}, 256, 1 << 20);
  plan.prefixes = {"transformer."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.query_bias = plan.out_bias = plan.inner_bias = plan.head_bias = Bias::with;
  plan.gated = false;
  plan.sinusoid = Sinusoid::marian;
  plan.position_table = "pos_encoding";
  plan.embedding_scale = std::sqrt(static_cast<float>(plan.width));
  plan.words = "w";
  plan.layer_prefix = "h.";
  plan.query = "multi_head_attention.Wq";
  plan.key = "multi_head_attention.Wk";
  plan.value = "multi_head_attention.Wv";
  plan.attention_out = "multi_head_attention.dense";
  plan.up = "ffn.0";
  plan.down = "ffn.2";
  plan.attention_norm = "layernorm1";
  plan.inner_norm = "layernorm2";
  plan.final_norm = "layernorm";
  for (DecoderPlan::Layer& layer : plan.layers) layer.rope = -1;
}

}  // namespace holdfast::model
