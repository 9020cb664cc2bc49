#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// State spaces alone.
void plan_mamba2(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .positions = 1 << 20});
  carry_only(plan);
  plan.recurrent = read_state_space(config, plan);
  plan.recurrent->name = "mixer";
  if (!config.has("n_groups")) plan.recurrent->key_heads = 8;
  if (!config.has("state_size")) plan.recurrent->key_width = 128;
  plan.recurrent->value_width = config.size({"head_dim"}, 64, 4'096);
}

}  // namespace holdfast::model
