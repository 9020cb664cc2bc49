#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Cohere with a window in three layers of four; those without one have no positions.
void plan_cohere2(ConfigReader& config, DecoderPlan& plan) {
  plan_cohere(config, plan);
  add_rope(config, plan, {});
  plan.ropes[0].pairs = tensor::RopePairs::neighbours;
  plan.head_norm = DecoderPlan::HeadNorm::none;
  const size_t every = config.size({"sliding_window_pattern", "_sliding_window_pattern"}, 4, 1'024);
  set_windows(
      config, plan, read_window(config, 4'096),
      [](size_t layer, size_t step) { return (layer + 1) % step != 0; }, every);
  for (DecoderPlan::Layer& layer : plan.layers) layer.rope = layer.window > 0 ? 0 : -1;
}

}  // namespace holdfast::model
