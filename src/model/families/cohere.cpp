#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Layer norms without shift, branches side by side, neighbouring numbers turn together.
void plan_cohere(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .tied = true});
  plan.norm = DecoderPlan::NormKind::layer;
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.parallel = true;
  plan.inner_norm.clear();
  plan.logit_scale = config.number({"logit_scale"}, 0.0625);
  if (config.flag({"use_qk_norm"}, false)) {
    plan.head_norm = DecoderPlan::HeadNorm::own;
    plan.head_norm_kind = DecoderPlan::NormKind::layer;
  }
  add_rope(config, plan, {500'000});
  plan.ropes[0].pairs = tensor::RopePairs::neighbours;
}

}  // namespace holdfast::model
