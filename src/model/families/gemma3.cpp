#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Gemma 2 with normalized queries and keys; layers with a window have rotary positions of their own.
void plan_gemma3(ConfigReader& config, DecoderPlan& plan) {
  plan_gemma2(config, plan);
  plan.soft_cap = 0;  // Read by its configuration, used by no attention of it.
  plan.logit_cap = config.number({"final_logit_softcapping"}, 0);
  plan.head_norm = DecoderPlan::HeadNorm::each;
  plan.head_norm_kind = DecoderPlan::NormKind::root_mean_square_plus_one;
  size_t window = read_window(config, 4'096);
  if (plan.both_ways && window > 0) window = window / 2 + 1;  // Half of it to either side.
  const size_t every = config.size({"_sliding_window_pattern", "sliding_window_pattern"}, 6, 1'024);
  set_windows(config, plan, window, [](size_t layer, size_t step) { return (layer + 1) % step != 0; }, every);
  plan.ropes = {read_rope(config, plan.head_width, {1'000'000}, "full_attention")};
  RopeSpec local = read_rope(config, plan.head_width, {10'000}, "sliding_attention");
  if (!has_rope_of(config, "sliding_attention")) {
    // The older spelling: rope_scaling and rope_theta are of the other layers.
    local = RopeSpec{};
    local.dims = plan.ropes[0].dims;
    local.positions = local.original_positions = plan.ropes[0].positions;
    local.theta = config.number({"rope_local_base_freq"}, 10'000);
  }
  plan.ropes.push_back(std::move(local));
  const std::vector<bool> named = sliding_layers(config, plan.layers.size());
  for (size_t i = 0; i < plan.layers.size(); ++i)
    plan.layers[i].rope = (named.empty() ? (i + 1) % every != 0 : named[i]) ? 1 : 0;
}

}  // namespace holdfast::model
