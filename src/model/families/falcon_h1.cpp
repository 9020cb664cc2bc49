#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

// `count` factors under a name; ones where it is absent.
std::vector<float> factors_of(ConfigReader& config, std::string_view name, size_t count) {
  std::vector<float> out(count, 1.0F);
  const boost::json::array* named = config.array(name);
  if (named == nullptr) return out;
  if (named->size() != count) {
    config.refuse(fail(Reason::bad_request, "config.json: multipliers are too few or too many"));
    return out;
  }
  for (size_t i = 0; i < count; ++i)
    if ((*named)[i].is_number()) out[i] = (*named)[i].to_number<float>();
  return out;
}

}  // namespace

// Attention and a state space read the same rows beside each other; factors everywhere.
void plan_falcon_h1(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8, .positions = 8'192});
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  name_feed_forward(plan);
  add_rope(config, plan, {});
  plan.embedding_scale = config.number({"embedding_multiplier"}, 1);
  plan.logit_scale = config.number({"lm_head_multiplier"}, 1);
  plan.attention_in_scale = config.number({"attention_in_multiplier"}, 1);
  plan.attention_scale = config.number({"attention_out_multiplier"}, 1);
  const float keys = config.number({"key_multiplier"}, 1);
  if (!(keys > 0))
    config.refuse(fail(Reason::model_unsupported, "config.json: key_multiplier is not positive"));
  plan.scale = keys / std::sqrt(static_cast<float>(plan.head_width));
  const std::vector<float> inner = factors_of(config, "mlp_multipliers", 2);
  plan.gate_scale = inner[0];
  plan.inner_scale = inner[1];
  RecurrentPlan states = read_state_space(config, plan);
  if (config.has("mamba_d_ssm") || config.json().if_contains("mamba_d_ssm") == nullptr) {
    const size_t numbers = config.size({"mamba_d_ssm"}, 1'024, 1 << 20);
    if (numbers % states.value_heads != 0)
      config.refuse(fail(Reason::bad_request, "config.json: mamba_d_ssm is not a multiple of mamba_n_heads"));
    states.value_width = std::max<size_t>(numbers / states.value_heads, 1);
  }
  states.out_bias = bias_if(config.flag({"projectors_bias"}, false));
  states.gate_norm = !config.flag({"mamba_rms_norm"}, false)         ? RecurrentPlan::GateNorm::none
                     : config.flag({"mamba_norm_before_gate"}, true) ? RecurrentPlan::GateNorm::before_gate
                                                                     : RecurrentPlan::GateNorm::after_gate;
  states.in_scale = config.number({"ssm_in_multiplier"}, 1);
  states.out_scale = config.number({"ssm_out_multiplier"}, 1);
  const std::vector<float> parts = factors_of(config, "ssm_multipliers", 5);
  std::copy(parts.begin(), parts.end(), states.part_scales.begin());
  plan.recurrent = states;
  for (DecoderPlan::Layer& layer : plan.layers) layer.recurrent = true;
}

}  // namespace holdfast::model
