#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Layer norms and biases, a plain feed-forward, a window.
void plan_starcoder2(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan,
                     {.activation = "gelu_pytorch_tanh", .epsilon = 1e-5, .tied = true, .key_heads = 2});
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = Bias::with;
  plan.query_bias = plan.out_bias = plan.inner_bias = bias_if(config.flag({"use_bias"}, true));
  plan.gated = false;
  plan.up = "mlp.c_fc";
  plan.down = "mlp.c_proj";
  add_rope(config, plan, {});
  set_windows(config, plan, read_window(config, 0), [](size_t, size_t) { return true; });
}

}  // namespace holdfast::model
