#include <boost/json/object.hpp>
#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Gemma with norms before and after each branch, capped scores and logits, a window in every other layer.
void plan_gemma2(ConfigReader& config, DecoderPlan& plan) {
  plan_gemma(config, plan);
  plan.activation =
      activation_of(config, config.text({"hidden_activation", "hidden_act"}, "gelu_pytorch_tanh"));
  plan.attention_post_norm = "post_attention_layernorm";
  plan.inner_norm = "pre_feedforward_layernorm";
  plan.inner_post_norm = "post_feedforward_layernorm";
  plan.scale = 1.0F / std::sqrt(config.number({"query_pre_attn_scalar"}, 256));
  const auto cap = [&](std::string_view name, double fallback) {
    const boost::json::value* value = config.json().if_contains(name);
    return value != nullptr && value->is_null() ? 0.0F : config.number({name}, fallback);
  };
  plan.soft_cap = cap("attn_logit_softcapping", 50);
  plan.logit_cap = cap("final_logit_softcapping", 30);
  set_windows(config, plan, read_window(config, 4'096),
              [](size_t layer, size_t) { return (layer + 1) % 2 != 0; });
}

}  // namespace holdfast::model
