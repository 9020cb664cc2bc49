#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// OPT's shape with scaled words and positions that begin at the third row of their table. Unlike OPT's they
// do not count what the mask shows unless somebody says so (transformers 5).
void plan_biogpt(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "gelu", .tied = true});
  plan.epsilon = 1e-5F;  // Whatever layer_norm_eps says: its norms never read it.
  plan.prefixes = {"biogpt."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.query_bias = plan.out_bias = plan.inner_bias = Bias::with;
  plan.gated = false;
  plan.position_table = "embed_positions";
  plan.position_offset = 2;
  plan.attention_out = "self_attn.out_proj";
  plan.up = "fc1";
  plan.down = "fc2";
  plan.attention_norm = "self_attn_layer_norm";
  plan.inner_norm = "final_layer_norm";
  plan.final_norm = "layer_norm";
  plan.head = "output_projection";
  if (config.flag({"scale_embedding"}, true))
    plan.embedding_scale = std::sqrt(static_cast<float>(plan.width));
  for (DecoderPlan::Layer& layer : plan.layers) layer.rope = -1;
}

}  // namespace holdfast::model
