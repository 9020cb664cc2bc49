#include <boost/json/object.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

RecurrentPlan read_selective_space(ConfigReader& config, const DecoderPlan& plan) {
  RecurrentPlan out;
  out.kind = RecurrentPlan::Kind::selective_space;
  out.taps = config.size({"mamba_d_conv", "conv_kernel"}, 4, 64);
  out.key_width = config.size({"mamba_d_state", "state_size"}, 16, 4'096);
  out.value_width = config.size({"mamba_expand", "expand"}, 2, 64) * plan.width;
  out.convolution_bias = bias_if(config.flag({"mamba_conv_bias", "use_conv_bias"}, true));
  out.bias = out.out_bias = bias_if(config.flag({"mamba_proj_bias", "use_bias"}, false));
  out.activation = plan.activation;
  out.epsilon = plan.epsilon;
  out.rank = (plan.width + 15) / 16;
  for (const char* name : {"mamba_dt_rank", "time_step_rank"})
    if (const boost::json::value* rank = config.json().if_contains(name); rank != nullptr && rank->is_int64())
      out.rank = config.size({name}, 1, 65'536);
  return out;
}

}  // namespace

// State spaces alone.
void plan_mamba(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan,
                     {.epsilon = 1e-5,
                      .tied = true,
                      .key_heads = 1,
                      .head_width = 1,
                      .width = 768,
                      .heads = 1,
                      .vocabulary = 50'280,
                      .positions = 1 << 20});
  carry_only(plan);
  plan.recurrent = read_selective_space(config, plan);
  plan.recurrent->name = "mixer";
}

// With norms, without numbers of their own, of what each token chooses.
void plan_falcon_mamba(ConfigReader& config, DecoderPlan& plan) {
  plan_mamba(config, plan);
  plan.recurrent->choice_norms = RecurrentPlan::ChoiceNorms::plain;
  plan.recurrent->epsilon = config.number({"mixer_rms_eps"}, 1e-6);
}

// Attention without positions in a few layers, experts in some.
void plan_jamba(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.key_heads = 8, .positions = 262'144});
  name_feed_forward(plan);
  plan.recurrent = read_selective_space(config, plan);
  plan.recurrent->name = "mamba";
  plan.recurrent->choice_norms = RecurrentPlan::ChoiceNorms::scaled;
  ExpertsPlan experts;
  experts.count = config.size({"num_experts", "num_local_experts"}, 16, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, 2, 1'024);
  experts.inner = plan.inner;
  experts.normalized = false;
  experts.router = "feed_forward.router";
  experts.experts = "feed_forward.experts";
  plan.experts = experts;
  const size_t attends_every = config.size({"attn_layer_period"}, 8, 1'024);
  const size_t attends_at = config.size_or_zero({"attn_layer_offset"}, 4, 1'024);
  const size_t picks_every = config.size({"expert_layer_period"}, 2, 1'024);
  const size_t picks_at = config.size_or_zero({"expert_layer_offset"}, 1, 1'024);
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    DecoderPlan::Layer& layer = plan.layers[i];
    layer.attends = i % attends_every == attends_at;
    layer.recurrent = !layer.attends;
    layer.experts = experts.count > 1 && i % picks_every == picks_at;
    layer.rope = -1;
  }
}

}  // namespace holdfast::model
