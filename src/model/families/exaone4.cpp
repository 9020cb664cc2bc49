#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Norms only after each branch, queries and keys normalized head by head. Where some layers have a window,
// those without one have no positions.
void plan_exaone4(ConfigReader& config, DecoderPlan& plan) {
  plan_olmo2(config, plan);
  plan.query_bias = plan.out_bias = Bias::without;
  plan.head_norm = DecoderPlan::HeadNorm::each;
  const size_t window = read_window(config, 4'096);
  // Where layer_types says it, the pattern may be a text ("LLLG") that nobody reads.
  const size_t every =
      config.has("layer_types") ? 0 : config.size_or_zero({"sliding_window_pattern"}, 4, 1'024);
  set_windows(
      config, plan, window, [](size_t layer, size_t step) { return step > 0 && (layer + 1) % step != 0; },
      every);
  if (window > 0)
    for (DecoderPlan::Layer& layer : plan.layers) layer.rope = layer.window > 0 ? 0 : -1;
}

// Its attention between norms that come first, before DeepSeek's experts.
void plan_exaone_moe(ConfigReader& config, DecoderPlan& plan) {
  plan_exaone4(config, plan);
  plan.attention_norm = "input_layernorm";
  plan.inner_norm = "post_attention_layernorm";
  plan.attention_post_norm.clear();
  plan.inner_post_norm.clear();
  add_grouped_experts(config, plan, {.count = 64, .picked = 8, .inner = 1'024, .factor = 2.5, .dense = 1});
  plan.experts->correction = "mlp.e_score_correction_bias";
}

}  // namespace holdfast::model
