#include <fmt/format.h>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// The first GPT: norms follow the sums, and none ends the model.
void plan_openai_gpt(ConfigReader& config, DecoderPlan& plan) {
  plan_gpt2(config, plan);
  const std::string activation = config.text({"afn"}, "gelu");
  if (activation != "gelu" && activation != "relu" && activation != "silu" && activation != "swish")
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("config.json: the afn '{}' is not known", activation.substr(0, 60))));
  plan.activation = activation_of(config, activation == "gelu" ? "gelu_new" : activation);
  plan.inner = 4 * plan.width;
  plan.norm_after = true;
  plan.words = "tokens_embed";
  plan.position_table = "positions_embed";
  plan.final_norm.clear();
  for (DecoderPlan::Layer& layer : plan.layers) layer.scale = 0;  // It reads none of GPT-2's switches.
}

}  // namespace holdfast::model
