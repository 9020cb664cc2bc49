#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Norms without numbers of their own, one of them before the first layer; heads turn the other way round and
// are normalized then.
void plan_nanochat(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.activation = "relu2", .inner = 8'192});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.gated = false;
  plan.norm_scales = plan.head_norm_scales = false;
  plan.head_norm = DecoderPlan::HeadNorm::each;
  plan.head_norm_turned = true;
  plan.embedding_norm = "norm";
  plan.up = "mlp.fc1";
  plan.down = "mlp.fc2";
  plan.logit_cap = config.number({"final_logit_softcapping"}, 15);
  add_rope(config, plan, {});
  RopeSpec& rope = plan.ropes[0];
  if (rope.kind != RopeSpec::Kind::plain)
    config.refuse(
        fail(Reason::model_unsupported,
             "config.json: of nanochat only rotary positions of the rope type 'default' are known"));
  rope.kind = RopeSpec::Kind::linear;
  rope.factor = -1;
}

}  // namespace holdfast::model
