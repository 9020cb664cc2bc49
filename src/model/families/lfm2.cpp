#include <algorithm>
#include <boost/json/array.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

// Attention in some layers, short convolutions in the others.
void plan_alike(ConfigReader& config, DecoderPlan& plan) {
  read_decoder_sizes(config, plan, {.epsilon = 1e-5, .tied = true, .key_heads = 8});
  plan.tied = config.flag({"tie_embedding", "tie_word_embeddings"}, true);
  plan.activation = tensor::Activation::silu;
  plan.head_norm = DecoderPlan::HeadNorm::each;
  plan.query_norm = "self_attn.q_layernorm";
  plan.key_norm = "self_attn.k_layernorm";
  plan.attention_out = "self_attn.out_proj";
  plan.gate = "feed_forward.w1";
  plan.up = "feed_forward.w3";
  plan.down = "feed_forward.w2";
  plan.attention_norm = "operator_norm";
  plan.inner_norm = "ffn_norm";
  plan.final_norm = "embedding_norm";
  add_rope(config, plan, {1'000'000});
  RecurrentPlan states;
  states.kind = RecurrentPlan::Kind::short_convolution;
  states.name = "conv";
  states.activation = tensor::Activation::none;
  states.taps = config.size({"conv_L_cache"}, 3, 64);
  states.bias = bias_if(config.flag({"conv_bias"}, false));
  plan.recurrent = states;
  place_recurrent(config, plan, "conv", [](size_t, size_t) { return false; });
  const boost::json::array* attending = config.array("full_attn_idxs");
  if (config.has("layer_types") || attending == nullptr) return;
  attend_at(plan, *attending);
}

}  // namespace

void plan_lfm2(ConfigReader& config, DecoderPlan& plan) {
  plan_alike(config, plan);
  if (config.has("block_ff_dim")) plan.inner = config.size({"block_ff_dim"}, 1, 1 << 20);
  if (!config.flag({"block_auto_adjust_ff_dim"}, true)) return;
  plan.inner = 2 * plan.inner / 3;
  const size_t multiple = config.size({"block_multiple_of"}, 256, 1 << 20);
  const double factor = config.number({"block_ffn_dim_multiplier"}, 1);
  if (!(factor > 0 && factor < 1'024))
    return config.refuse(fail(Reason::bad_request, "config.json: block_ffn_dim_multiplier cannot be"));
  const auto wide = static_cast<size_t>(factor * static_cast<double>(plan.inner));
  plan.inner = std::max<size_t>((wide + multiple - 1) / multiple, 1) * multiple;
}

// Its feed-forward is experts, picked by corrected sigmoids, after the first layers.
void plan_lfm2_moe(ConfigReader& config, DecoderPlan& plan) {
  plan_alike(config, plan);
  ExpertsPlan experts;
  experts.scores = ExpertsPlan::Scores::sigmoid_grouped;
  experts.count = config.size({"num_experts", "num_local_experts"}, 32, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, 4, 1'024);
  experts.inner = config.size({"moe_intermediate_size"}, 1'792);
  experts.normalized = config.flag({"norm_topk_prob"}, true);
  experts.factor = config.number({"routed_scaling_factor"}, 1);
  experts.share_more = 1e-6F;
  experts.router = "feed_forward.gate";
  experts.corrected = config.flag({"use_expert_bias"}, true);
  experts.correction = "feed_forward.expert_bias";
  experts.experts = "feed_forward.experts";
  experts.gate = "w1";
  experts.up = "w3";
  experts.down = "w2";
  plan.experts = experts;
  const size_t dense = config.size_or_zero({"num_dense_layers"}, 2, 1'024);
  for (size_t i = 0; i < plan.layers.size(); ++i) plan.layers[i].experts = i >= dense;
}

}  // namespace holdfast::model
