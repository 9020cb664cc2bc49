#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama with biases on queries, keys and values; far layers may have a window.
void plan_qwen2(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {});
  plan.query_bias = Bias::with;
  add_rope(config, plan, {});
  const size_t window = config.flag({"use_sliding_window"}, false) ? read_window(config, 4'096) : 0;
  set_windows(
      config, plan, window, [](size_t layer, size_t first) { return layer >= first; },
      config.size_or_zero({"max_window_layers"}, 28, 1'024));
}

}  // namespace holdfast::model
