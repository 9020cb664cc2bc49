#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// A table of positions, transposed weights, joined queries, keys and values.
void plan_gpt2(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "gelu_new", .epsilon = 1e-5, .tied = true});
  plan.prefixes = {"transformer."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.query_bias = plan.out_bias = plan.inner_bias = Bias::with;
  plan.gated = false;
  plan.order = DecoderPlan::WeightOrder::inputs_first;
  plan.words = "wte";
  plan.position_table = "wpe";
  plan.layer_prefix = "h.";
  plan.query_key_value = "attn.c_attn";
  plan.attention_out = "attn.c_proj";
  plan.up = "mlp.c_fc";
  plan.down = "mlp.c_proj";
  plan.attention_norm = "ln_1";
  plan.inner_norm = "ln_2";
  plan.final_norm = "ln_f";
  const float scale = config.flag({"scale_attn_weights"}, true)
                          ? 1.0F / std::sqrt(static_cast<float>(plan.head_width))
                          : 1.0F;
  const bool falls = config.flag({"scale_attn_by_inverse_layer_idx"}, false);
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    plan.layers[i].rope = -1;
    plan.layers[i].scale = falls ? scale / static_cast<float>(i + 1) : scale;
  }
}

}  // namespace holdfast::model
