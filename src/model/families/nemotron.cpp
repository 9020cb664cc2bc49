#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Layer norms whose stored scale lacks 1, squared rectifiers without a gate, half of each head turns.
void plan_nemotron(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "relu2", .epsilon = 1e-5});
  plan.norm = DecoderPlan::NormKind::layer_plus_one;
  plan.norm_bias = Bias::with;
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  plan.gated = false;
  add_rope(config, plan, {.part = 0.5});
}

// Llama with layer norms, biases and such rectifiers.
void plan_jais2(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "relu2", .epsilon = 1e-5});
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = Bias::with;
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, true));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, true));
  plan.gated = false;
  add_rope(config, plan, {});
}

}  // namespace holdfast::model
