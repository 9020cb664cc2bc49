#include <boost/json/object.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Llama without gates, its rectifier's shape learned by each layer.
void plan_apertus(ConfigReader& config, DecoderPlan& plan) {
  const std::string activation = config.text({"hidden_act"}, "xielu");
  plan.learned_activation = activation == "xielu";
  boost::json::object rest = config.json();
  if (plan.learned_activation) rest.erase("hidden_act");
  ConfigReader reader(rest);
  read_decoder_sizes(reader, plan, {.epsilon = 1e-5});
  if (!reader.status().ok()) config.refuse(reader.status().error());
  if (plan.learned_activation) plan.activation = tensor::Activation::none;
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.gated = false;
  plan.head_norm = DecoderPlan::HeadNorm::each;
  plan.attention_norm = "attention_layernorm";
  plan.inner_norm = "feedforward_layernorm";
  add_rope(config, plan, {12'000'000});
  if (config.has("rope_scaling") || config.has("rope_parameters")) return;
  RopeSpec& rope = plan.ropes[0];  // What its class has where config.json has nothing.
  rope.kind = RopeSpec::Kind::llama3;
  rope.theta = 12'000'000;
  rope.factor = 8;
  rope.original_positions = 8'192;
}

}  // namespace holdfast::model
