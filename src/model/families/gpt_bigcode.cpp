#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// GPT-2 with plain layers and, as a rule, one head of keys and values.
void plan_gpt_bigcode(ConfigReader& config, DecoderPlan& plan) {
  plan_gpt2(config, plan);
  plan.activation =
      activation_of(config, config.text({"activation_function", "hidden_act"}, "gelu_pytorch_tanh"));
  plan.order = DecoderPlan::WeightOrder::outputs_first;
  if (config.flag({"multi_query"}, true))
    plan.key_heads = 1;
  else
    plan.joined_order = DecoderPlan::JoinedOrder::by_head;
}

}  // namespace holdfast::model
