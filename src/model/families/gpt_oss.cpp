#include <cmath>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

// Experts with clamped gates and biases, and a score without a value in each head.
void plan_alike(ConfigReader& config, DecoderPlan& plan) {
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, true));
  plan.sinks = true;
  add_rope(config, plan, {150'000});
  if (!config.has("rope_scaling") && !config.has("rope_parameters")) {
    RopeSpec& rope = plan.ropes[0];  // What its class has where config.json has nothing but rope_theta.
    rope.kind = RopeSpec::Kind::yarn;
    rope.factor = 32;
    rope.original_positions = 4'096;
    rope.whole_bounds = false;
    rope.attention_factor = 0.1 * std::log(32.0) + 1;
  }
  ExpertsPlan experts;
  experts.scores = ExpertsPlan::Scores::softmax_picked;
  experts.layout = ExpertsPlan::Layout::stacked_transposed;
  experts.count = config.size({"num_local_experts", "num_experts"}, 128, 1'024);
  experts.picked = config.size({"num_experts_per_tok", "experts_per_token"}, 4, 1'024);
  experts.inner = plan.inner;
  experts.normalized = false;
  experts.router = "mlp.router";
  experts.alpha = config.number({"swiglu_alpha"}, 1.702);
  experts.clamp = config.number({"swiglu_limit"}, 7);
  plan.experts = experts;
  for (DecoderPlan::Layer& layer : plan.layers) layer.experts = true;
}

}  // namespace

// A window in every other layer.
void plan_gpt_oss(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 8, .head_width = 64});
  set_windows(config, plan, read_window(config, 128),
              [](size_t layer, size_t) { return (layer + 1) % 2 != 0; });
  plan_alike(config, plan);
}

// What marks private data in texts: gpt_oss seeing both ways, near tokens only, with rotary positions of
// neighbouring pairs and gates before values.
void plan_openai_privacy_filter(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .key_heads = 2, .head_width = 64});
  plan.both_ways = true;
  const size_t window = read_window(config, 128);
  for (DecoderPlan::Layer& layer : plan.layers) layer.window = window > 0 ? window + 1 : 0;
  plan_alike(config, plan);
  for (RopeSpec& rope : plan.ropes) rope.pairs = tensor::RopePairs::neighbours;
  plan.experts->alternates = false;
}

}  // namespace holdfast::model
