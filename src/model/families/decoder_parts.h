#pragma once

#include "model/decoder_plan.h"

// What decoder families have in common.
namespace holdfast::model {

// Sizes, labels and the head that `architectures` names, under llama's keys and their older spellings
// (n_embd, n_layer, ...); plan.layers is made.
struct DecoderDefaults {
  std::string_view activation = "silu";
  double epsilon = 1e-6;
  bool tied = false;
  size_t key_heads = 0;   // 0: as many as heads.
  size_t head_width = 0;  // 0: width / heads.
  // Parts of a configuration inside another lack what is as its class has it.
  size_t width = 4'096, heads = 32, layers = 32, vocabulary = 32'000, positions = 2'048;
  size_t inner = 0;  // 0: four times the width.
};
void read_decoder_sizes(ConfigReader& config, DecoderPlan& plan, const DecoderDefaults& defaults);

DecoderPlan::Head read_decoder_head(ConfigReader& config);
Bias bias_if(bool there);
tensor::Activation activation_of(ConfigReader& config, std::string_view name);
// sliding_window: absent the fallback, null none.
size_t read_window(ConfigReader& config, size_t fallback);
// The window for layers that layer_types calls sliding; where it is absent, for those `slides` picks.
void set_windows(ConfigReader& config, DecoderPlan& plan, size_t window,
                 bool (*slides)(size_t layer, size_t extra), size_t extra = 0);
// Which layers layer_types calls sliding; empty where it is absent.
std::vector<bool> sliding_layers(ConfigReader& config, size_t layers);
// Which layers carry a state: those that layer_types calls `name`, where it is absent those `carries` picks.
void place_recurrent(ConfigReader& config, DecoderPlan& plan, std::string_view name,
                     bool (*carries)(size_t layer, size_t extra), size_t extra = 0);
// All carry a state but those listed.
void attend_at(DecoderPlan& plan, const boost::json::array& layers);
// No layer attends or feeds: each is a state behind a norm, as Mamba names them.
void carry_only(DecoderPlan& plan);
// A feed-forward called so, and the norms around it (pre_ff_layernorm, final_layernorm).
void name_feed_forward(DecoderPlan& plan);
// Mamba 2's, under the names that its likes have; with the plan's activation.
RecurrentPlan read_state_space(ConfigReader& config, const DecoderPlan& plan);
// Which layers have experts: every decoder_sparse_step-th, less mlp_only_layers.
void place_experts(ConfigReader& config, DecoderPlan& plan);
// DeepSeek's experts in groups beside shared ones, after the first `dense` layers or where mlp_layer_types
// says so.
struct GroupedExperts {
  size_t count = 0, picked = 0, inner = 0, groups = 1, groups_picked = 1;
  double factor = 1;
  size_t shared = 1, dense = 0;
  bool normalized = true;
};
void add_grouped_experts(ConfigReader& config, DecoderPlan& plan, const GroupedExperts& defaults);
// Experts as Mixtral spells them, in every layer.
void add_sparse_block(ConfigReader& config, DecoderPlan& plan, size_t count, size_t picked);
void add_rope(ConfigReader& config, DecoderPlan& plan, const RopeDefaults& defaults);

}  // namespace holdfast::model
