#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// The sizes are those of Gemma 3's class, whose configuration may stand inside another with gaps.
// Norms store their scale less 1; embeddings are scaled by the root of the width.
void plan_gemma(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan,
                     {.activation = "gelu_pytorch_tanh",
                      .tied = true,
                      .key_heads = 4,
                      .head_width = 256,
                      .width = 2'304,
                      .heads = 8,
                      .layers = 26,
                      .vocabulary = 262'208,
                      .positions = 131'072,
                      .inner = 9'216});
  // Early folders say "gelu" and mean the approximation by tanh.
  plan.activation = activation_of(config, config.text({"hidden_activation"}, "gelu_pytorch_tanh"));
  if (!config.has("hidden_activation") && config.text({"hidden_act"}, "gelu") != "gelu")
    plan.activation = activation_of(config, config.text({"hidden_act"}, ""));
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.norm = DecoderPlan::NormKind::root_mean_square_plus_one;
  plan.embedding_scale = std::sqrt(static_cast<float>(plan.width));
  add_rope(config, plan, {});
}

}  // namespace holdfast::model
