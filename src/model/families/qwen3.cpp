#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Each head's query and key are normalized.
void plan_qwen3(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.head_width = 128});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.head_norm = DecoderPlan::HeadNorm::each;
  add_rope(config, plan, {});
  const size_t window = config.flag({"use_sliding_window"}, false) ? read_window(config, 4'096) : 0;
  set_windows(
      config, plan, window, [](size_t layer, size_t first) { return layer >= first; },
      config.size_or_zero({"max_window_layers"}, 28, 1'024));
}

}  // namespace holdfast::model
