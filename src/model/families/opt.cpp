#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// A table of positions that begins at its third row; tables may be narrower than the layers.
void plan_opt(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "relu", .epsilon = 1e-5, .tied = true});
  plan.epsilon = 1e-5F;
  plan.prefixes = {"model.decoder.", "decoder."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = Bias::with;
  plan.query_bias = plan.out_bias = plan.inner_bias = bias_if(config.flag({"enable_bias"}, true));
  plan.norm_scales = config.flag({"layer_norm_elementwise_affine"}, true);
  plan.gated = false;
  plan.takes_mask_positions = true;
  plan.embedding_width = config.size({"word_embed_proj_dim"}, plan.width, 65'536);
  if (plan.embedding_width != plan.width) {
    plan.project_in = "project_in";
    plan.project_out = "project_out";
  }
  plan.position_table = "embed_positions";
  plan.position_offset = 2;
  plan.attention_out = "self_attn.out_proj";
  plan.up = "fc1";
  plan.down = "fc2";
  plan.attention_norm = "self_attn_layer_norm";
  plan.inner_norm = "final_layer_norm";
  const bool before = config.flag({"do_layer_norm_before"}, true);
  plan.norm_after = !before;
  plan.final_norm = before && !config.flag({"_remove_final_layer_norm"}, false) ? "final_layer_norm" : "";
  for (DecoderPlan::Layer& layer : plan.layers) layer.rope = -1;
}

}  // namespace holdfast::model
