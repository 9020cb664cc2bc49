#include <boost/json/object.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {

// Granite with state spaces in most layers, and experts, a shared feed-forward or both.
void plan_granitemoehybrid(ConfigReader& config, DecoderPlan& plan) {
  const boost::json::value* count = config.json().if_contains("num_local_experts");
  if (count != nullptr && count->is_int64() && count->get_int64() == 0) {
    plan_granite(config, plan);
    plan.inner = config.size({"shared_intermediate_size"}, 1'024, 1 << 20);
    plan.gate_up = "shared_mlp.input_linear";
    plan.down = "shared_mlp.output_linear";
  } else {
    plan_granitemoe(config, plan);
    plan.experts->shared = "shared_mlp";
    plan.experts->shared_gate_up = "input_linear";
    plan.experts->shared_down = "output_linear";
    plan.experts->shared_inner = config.size({"shared_intermediate_size"}, 1'024, 1 << 20);
  }
  plan.inner_bias = Bias::without;
  if (config.text({"position_embedding_type"}, "nope") != "rope")
    for (DecoderPlan::Layer& layer : plan.layers) layer.rope = -1;
  plan.recurrent = read_state_space(config, plan);
  place_recurrent(config, plan, "linear_attention", [](size_t, size_t) { return true; });
}

// Llama with state spaces in most layers.
void plan_bamba(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  name_feed_forward(plan);
  boost::json::object rest = config.json();
  rest.erase("partial_rotary_factor");  // Half, unless rope_parameters says so.
  ConfigReader reader(rest);
  add_rope(reader, plan, {.part = 0.5});
  if (!reader.status().ok()) config.refuse(reader.status().error());
  plan.recurrent = read_state_space(config, plan);
  static const boost::json::array none;
  const boost::json::array* attending = config.array("attn_layer_indices");
  attend_at(plan, attending != nullptr ? *attending : none);
}

}  // namespace holdfast::model
