#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama with joined layers, a window, and frequencies for long texts.
void plan_phi3(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5});
  plan.query_key_value = "self_attn.qkv_proj";
  plan.gate_up = "mlp.gate_up_proj";
  add_rope(config, plan, {});
  plan.renews_keys = plan.ropes[0].kind == RopeSpec::Kind::longrope;
  set_windows(config, plan, read_window(config, 0), [](size_t, size_t) { return true; });
}

}  // namespace holdfast::model
