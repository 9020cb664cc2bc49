#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// The shape that the block's defaults describe.
void plan_llama(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  add_rope(config, plan, {});
}

// Llama by another name.
void plan_iquestcoder(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  add_rope(config, plan, {});
  if (config.has("clip_qkv") || config.flag({"use_sliding_window"}, false))
    config.refuse(fail(Reason::model_unsupported,
                       "config.json: clip_qkv and use_sliding_window are not known of this family"));
}

// Llama by another name, its biases too.
void plan_internlm3(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 2});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"qkv_bias", "attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"bias", "mlp_bias"}, false));
  add_rope(config, plan, {});
  if (plan.query_bias != plan.inner_bias)
    config.refuse(fail(Reason::model_unsupported, "config.json: qkv_bias is not what bias is"));
}

}  // namespace holdfast::model
