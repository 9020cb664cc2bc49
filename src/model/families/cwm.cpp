#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama with a window in three layers of four, the first of four without.
void plan_cwm(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8, .head_width = 128});
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  add_rope(config, plan, {1'000'000});
  if (!config.has("rope_scaling") && !config.has("rope_parameters")) {
    RopeSpec& rope =
        plan.ropes[0];  // What its class has where config.json has nothing, whatever rope_theta says.
    rope.kind = RopeSpec::Kind::llama3;
    rope.theta = 1'000'000;
    rope.factor = 16;
    rope.original_positions = 8'192;
  }
  set_windows(config, plan, read_window(config, 8'192), [](size_t layer, size_t) { return layer % 4 != 0; });
}

}  // namespace holdfast::model
