#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama with a window in every layer.
void plan_mistral(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.key_heads = 8, .positions = 131'072, .inner = 14'336});
  add_rope(config, plan, {});
  set_windows(config, plan, read_window(config, 4'096), [](size_t, size_t) { return true; });
}

}  // namespace holdfast::model
