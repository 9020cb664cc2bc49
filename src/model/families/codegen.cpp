#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// GPT-J whose queries, values and keys are one layer, in quarters as four machines once held them.
void plan_codegen(ConfigReader& config, DecoderPlan& plan) {
  plan_gptj(config, plan);
  plan.query_key_value = "attn.qkv_proj";
  plan.joined_order = DecoderPlan::JoinedOrder::by_quarter;
  if (plan.heads % 4 != 0)
    config.refuse(fail(Reason::bad_request, "config.json: n_head is not a multiple of 4"));
  if (!config.has("rotary_dim")) {
    plan.ropes[0].dims = 64;
    if (plan.head_width < 64) config.refuse(fail(Reason::bad_request, "config.json: rotary_dim is missing"));
  }
}

}  // namespace holdfast::model
