#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// One norm for both branches, side by side; neighbouring numbers turn together.
void plan_gptj(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "gelu_new", .epsilon = 1e-5});
  plan.prefixes = {"transformer."};
  plan.norm = DecoderPlan::NormKind::layer;
  plan.norm_bias = plan.inner_bias = plan.head_bias = Bias::with;
  plan.gated = false;
  plan.parallel = true;
  plan.words = "wte";
  plan.layer_prefix = "h.";
  plan.query = "attn.q_proj";
  plan.key = "attn.k_proj";
  plan.value = "attn.v_proj";
  plan.attention_out = "attn.out_proj";
  plan.up = "mlp.fc_in";
  plan.down = "mlp.fc_out";
  plan.attention_norm = "ln_1";
  plan.inner_norm.clear();
  plan.final_norm = "ln_f";
  RopeSpec rope;
  rope.pairs = tensor::RopePairs::neighbours;
  rope.dims = config.size({"rotary_dim"}, plan.head_width, 4'096);
  rope.positions = rope.original_positions = plan.positions;
  if (rope.dims > plan.head_width || rope.dims % 2 != 0)
    config.refuse(fail(Reason::bad_request, "config.json: rotary_dim cannot be"));
  plan.ropes = {rope};
}

}  // namespace holdfast::model
