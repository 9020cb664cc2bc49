#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Mistral whose feed-forward is experts.
void plan_mixtral(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8});
  add_rope(config, plan, {1'000'000});
  set_windows(config, plan, read_window(config, 0), [](size_t, size_t) { return true; });
  add_sparse_block(config, plan, 8, 2);
}

}  // namespace holdfast::model
