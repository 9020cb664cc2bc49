#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

// Three layers of four carry a state; the others attend, their answers gated.
void plan_alike(ConfigReader& config, DecoderPlan& plan, RecurrentPlan::Layout layout, size_t key_heads) {
  read_decoder_sizes(config, plan, {.key_heads = key_heads, .head_width = 256, .positions = 32'768});
  plan.norm = plan.head_norm_kind = DecoderPlan::NormKind::root_mean_square_plus_one;
  plan.query_bias = plan.out_bias = bias_if(config.flag({"attention_bias"}, false));
  plan.head_norm = DecoderPlan::HeadNorm::each;
  plan.query_gates = true;
  add_rope(config, plan, {.part = 0.25});
  RecurrentPlan states;
  states.kind = RecurrentPlan::Kind::gated_delta;
  states.layout = layout;
  states.name = "linear_attn";
  states.taps = config.size({"linear_conv_kernel_dim"}, 4, 64);
  states.key_width = config.size({"linear_key_head_dim"}, 128, 4'096);
  states.value_width = config.size({"linear_value_head_dim"}, 128, 4'096);
  states.key_heads = config.size({"linear_num_key_heads"}, 16, 1'024);
  states.value_heads = config.size({"linear_num_value_heads"}, 32, 1'024);
  states.activation = plan.activation;
  states.epsilon = plan.epsilon;
  if (states.value_heads % states.key_heads != 0)
    config.refuse(fail(Reason::bad_request,
                       "config.json: linear_num_value_heads is not a multiple of linear_num_key_heads"));
  plan.recurrent = states;
  place_recurrent(
      config, plan, "linear_attention", [](size_t layer, size_t every) { return (layer + 1) % every != 0; },
      config.size({"full_attention_interval"}, 4, 1'024));
}

void add_experts(ConfigReader& config, DecoderPlan& plan, size_t count, size_t picked) {
  ExpertsPlan experts;
  experts.count = config.size({"num_experts", "num_local_experts"}, count, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, picked, 1'024);
  experts.inner = config.size({"moe_intermediate_size"}, 512);
  experts.shared = "mlp.shared_expert";
  experts.shared_inner = config.size({"shared_expert_intermediate_size"}, 512);
  experts.shared_gate = "mlp.shared_expert_gate";
  plan.experts = experts;
}

}  // namespace

void plan_qwen3_next(ConfigReader& config, DecoderPlan& plan) {
  plan_alike(config, plan, RecurrentPlan::Layout::by_head, 2);
  add_experts(config, plan, 512, 10);
  plan.experts->normalized = config.flag({"norm_topk_prob"}, true);
  place_experts(config, plan);
}

void plan_qwen3_5(ConfigReader& config, DecoderPlan& plan) {
  plan_alike(config, plan, RecurrentPlan::Layout::apart, 4);
}

void plan_qwen3_5_moe(ConfigReader& config, DecoderPlan& plan) {
  plan_alike(config, plan, RecurrentPlan::Layout::apart, 2);
  add_experts(config, plan, 256, 8);
  for (DecoderPlan::Layer& layer : plan.layers) layer.experts = true;
}

}  // namespace holdfast::model
