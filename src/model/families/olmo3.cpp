#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Olmo 2 with a window in three layers of four, whose positions turn as they did before the context grew.
void plan_olmo3(ConfigReader& config, DecoderPlan& plan) {
  plan_olmo2(config, plan);
  set_windows(config, plan, read_window(config, 4'096),
              [](size_t layer, size_t) { return (layer + 1) % 4 != 0; });
  plan.ropes = {read_rope(config, plan.head_width, {500'000}, "full_attention"),
                read_rope(config, plan.head_width, {500'000}, "sliding_attention")};
  if (!has_rope_of(config, "sliding_attention")) {
    RopeSpec plain;  // The older spelling: rope_scaling is of the other layers.
    plain.dims = plan.ropes[0].dims;
    plain.positions = plain.original_positions = plan.ropes[0].positions;
    plain.theta = 500'000;
    plan.ropes[1] = plain;
  }
  const std::vector<bool> named = sliding_layers(config, plan.layers.size());
  for (size_t i = 0; i < plan.layers.size(); ++i)
    plan.layers[i].rope = (named.empty() ? (i + 1) % 4 != 0 : named[i]) ? 1 : 0;
}

}  // namespace holdfast::model
