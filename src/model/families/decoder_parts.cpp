#include "model/families/decoder_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "model/families/labels.h"

namespace holdfast::model {

// "LlamaForCausalLM", "GPT2LMHeadModel": what the name ends with counts.
DecoderPlan::Head read_decoder_head(ConfigReader& config) {
  using enum DecoderPlan::Head;
  const boost::json::array* names = config.array("architectures");
  if (names == nullptr || names->empty() || !(*names)[0].is_string()) return language;
  const std::string_view name = (*names)[0].get_string();
  constexpr std::pair<std::string_view, DecoderPlan::Head> rows[] = {
      {"ForCausalLM", language},
      {"ForConditionalGeneration", language},
      {"LMHeadModel", language},
      {"ForSequenceClassification", sequence_classification},
      {"ForTokenClassification", token_classification},
      {"ForQuestionAnswering", question_answering},
      {"Model", none},
  };
  for (const auto& [end, head] : rows)
    if (name.ends_with(end) && !name.ends_with("DoubleHeadsModel")) return head;
  config.refuse(fail(Reason::model_unsupported,
                     fmt::format("models of class '{}' are not supported", name.substr(0, 80))));
  return none;
}

Bias bias_if(bool there) { return there ? Bias::with : Bias::without; }

tensor::Activation activation_of(ConfigReader& config, std::string_view name) {
  const auto activation = tensor::activation_from_name(name);
  if (!activation)
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("config.json: the activation '{}' is not known", name.substr(0, 60))));
  return activation.value_or(tensor::Activation::none);
}

void read_decoder_sizes(ConfigReader& config, DecoderPlan& plan, const DecoderDefaults& defaults) {
  plan.width = config.size({"hidden_size", "n_embd", "d_model"}, defaults.width, 65'536);
  plan.heads = config.size({"num_attention_heads", "n_head", "n_heads", "num_heads", "attention_heads"},
                           defaults.heads, 1'024);
  const size_t most = defaults.key_heads > 0 ? defaults.key_heads : plan.heads;
  plan.key_heads = config.size({"num_key_value_heads"}, most, 1'024);
  const size_t even = defaults.head_width > 0 ? defaults.head_width : plan.width / plan.heads;
  plan.head_width = plan.value_width = config.size({"head_dim"}, even, 4'096);
  if (defaults.head_width == 0 && !config.has("head_dim") && plan.width % plan.heads != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: the width is not a multiple of the number of heads"));
  if (plan.heads % plan.key_heads != 0)
    config.refuse(fail(Reason::bad_request, "config.json: heads is not a multiple of key heads"));
  plan.inner = config.size({"intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size"},
                           defaults.inner > 0 ? defaults.inner : 4 * plan.width, 1 << 20);
  plan.vocabulary = config.size({"vocab_size"}, defaults.vocabulary, 4'000'000);
  plan.positions =
      config.size({"max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len"},
                  defaults.positions, 1 << 30);
  plan.embedding_width = plan.width;
  plan.epsilon = config.number(
      {"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "norm_eps"}, defaults.epsilon);
  plan.activation = activation_of(
      config, config.text({"hidden_act", "activation_function", "activation"}, defaults.activation));
  plan.tied = config.flag({"tie_word_embeddings"}, defaults.tied);
  plan.layers.resize(
      config.size({"num_hidden_layers", "n_layer", "n_layers", "num_layers"}, defaults.layers, 1'024));
  plan.labels = read_labels(config);
  plan.head_kind = read_decoder_head(config);
  if (config.has("pad_token_id"))
    plan.pad_id = static_cast<int64_t>(config.size_or_zero({"pad_token_id"}, 0, 4'000'000));
  plan.both_ways = config.flag({"use_bidirectional_attention"}, false) || !config.flag({"is_causal"}, true);
}

size_t read_window(ConfigReader& config, size_t fallback) {
  const boost::json::value* value = config.json().if_contains("sliding_window");
  if (value != nullptr && value->is_null()) return 0;
  return config.size_or_zero({"sliding_window"}, fallback, 1 << 30);
}

std::vector<bool> sliding_layers(ConfigReader& config, size_t layers) {
  const boost::json::array* types = config.array("layer_types");
  if (types == nullptr) return {};
  if (types->size() != layers) {
    config.refuse(fail(Reason::bad_request, "config.json: layer_types is not one a layer"));
    return {};
  }
  std::vector<bool> out;
  for (const boost::json::value& one : *types) {
    const std::string_view name = one.is_string() ? std::string_view(one.get_string()) : "";
    if (name != "sliding_attention" && name != "full_attention")
      config.refuse(fail(Reason::model_unsupported, "config.json: layer_types has a kind that is not known"));
    out.push_back(name == "sliding_attention");
  }
  return out;
}

void set_windows(ConfigReader& config, DecoderPlan& plan, size_t window,
                 bool (*slides)(size_t layer, size_t extra), size_t extra) {
  const std::vector<bool> named = sliding_layers(config, plan.layers.size());
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const bool slide = named.empty() ? slides(i, extra) : named[i];
    plan.layers[i].window = slide ? window : 0;
  }
}

void add_rope(ConfigReader& config, DecoderPlan& plan, const RopeDefaults& defaults) {
  plan.ropes = {read_rope(config, plan.head_width, defaults)};
}

void place_recurrent(ConfigReader& config, DecoderPlan& plan, std::string_view name,
                     bool (*carries)(size_t layer, size_t extra), size_t extra) {
  const boost::json::array* types = config.array("layer_types");
  if (types == nullptr) types = config.array("layers_block_type");
  if (types != nullptr && types->size() != plan.layers.size())
    return config.refuse(fail(Reason::bad_request, "config.json: layer_types is not one a layer"));
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    plan.layers[i].recurrent = carries(i, extra);
    plan.layers[i].attends = !plan.layers[i].recurrent;
    if (types == nullptr) continue;
    std::string_view one = (*types)[i].is_string() ? std::string_view((*types)[i].get_string()) : "";
    if (one == "mamba") one = "linear_attention";  // As transformers called it before version 5.
    if (one != name && one != "full_attention" && one != "attention")
      config.refuse(fail(Reason::model_unsupported, "config.json: layer_types has a kind that is not known"));
    plan.layers[i].recurrent = one == name;
    plan.layers[i].attends = !plan.layers[i].recurrent;
  }
}

void attend_at(DecoderPlan& plan, const boost::json::array& layers) {
  for (DecoderPlan::Layer& layer : plan.layers) {
    layer.recurrent = true;
    layer.attends = false;
  }
  for (const boost::json::value& one : layers)
    if (one.is_int64() && one.get_int64() >= 0 && static_cast<size_t>(one.get_int64()) < plan.layers.size()) {
      DecoderPlan::Layer& layer = plan.layers[static_cast<size_t>(one.get_int64())];
      layer.recurrent = false;
      layer.attends = true;
    }
}

void carry_only(DecoderPlan& plan) {
  plan.heads = plan.key_heads = plan.head_width = plan.value_width = 1;
  plan.words = "embeddings";
  plan.final_norm = "norm_f";
  plan.attention_norm = "norm";
  plan.prefixes = {"backbone.", "model."};
  for (DecoderPlan::Layer& layer : plan.layers) {
    layer.recurrent = true;
    layer.attends = layer.feeds = false;
    layer.rope = -1;
  }
}

void name_feed_forward(DecoderPlan& plan) {
  plan.inner_norm = "pre_ff_layernorm";
  plan.gate = "feed_forward.gate_proj";
  plan.up = "feed_forward.up_proj";
  plan.down = "feed_forward.down_proj";
  plan.final_norm = "final_layernorm";
}

RecurrentPlan read_state_space(ConfigReader& config, const DecoderPlan& plan) {
  RecurrentPlan out;
  out.kind = RecurrentPlan::Kind::state_space;
  out.name = "mamba";
  out.taps = config.size({"mamba_d_conv", "conv_kernel"}, 4, 64);
  out.key_width = config.size({"mamba_d_state", "ssm_state_size", "state_size"}, 256, 4'096);
  out.key_heads = config.size({"mamba_n_groups", "n_groups"}, 1, 1'024);
  out.value_heads = config.size({"mamba_n_heads", "mamba_num_heads", "num_heads"}, 128, 1'024);
  const size_t inner = config.size({"mamba_expand", "expand"}, 2, 64) * plan.width;
  const boost::json::value* each = config.json().if_contains("mamba_d_head");
  const bool automatic = each == nullptr || !each->is_int64();
  out.value_width = config.size({"mamba_head_dim"}, std::max<size_t>(inner / out.value_heads, 1), 4'096);
  if (!automatic) out.value_width = config.size({"mamba_d_head"}, 1, 4'096);
  out.convolution_bias = bias_if(config.flag({"mamba_conv_bias", "use_conv_bias"}, true));
  out.bias = out.out_bias = bias_if(config.flag({"mamba_proj_bias", "use_bias"}, false));
  out.activation = plan.activation;
  out.epsilon = plan.epsilon;
  if (out.value_heads % out.key_heads != 0)
    config.refuse(fail(Reason::bad_request, "config.json: the groups of state spaces cannot be"));
  // transformers keeps steps of a prompt within it, and not those of single tokens.
  if (const boost::json::array* limit = config.array("time_step_limit"); limit != nullptr) {
    const bool open = limit->size() == 2 && (*limit)[0].is_number() && (*limit)[0].to_number<double>() == 0 &&
                      !((*limit)[1].is_number() && std::isfinite((*limit)[1].to_number<double>()));
    if (!open)
      config.refuse(fail(Reason::model_unsupported, "config.json: a time_step_limit is not supported"));
  }
  return out;
}

void place_experts(ConfigReader& config, DecoderPlan& plan) {
  const size_t step = config.size({"decoder_sparse_step"}, 1, 1'024);
  for (size_t i = 0; i < plan.layers.size(); ++i) plan.layers[i].experts = (i + 1) % step == 0;
  if (const boost::json::array* dense = config.array("mlp_only_layers"); dense != nullptr)
    for (const boost::json::value& one : *dense)
      if (one.is_int64() && one.get_int64() >= 0 && static_cast<size_t>(one.get_int64()) < plan.layers.size())
        plan.layers[static_cast<size_t>(one.get_int64())].experts = false;
}

void add_grouped_experts(ConfigReader& config, DecoderPlan& plan, const GroupedExperts& defaults) {
  ExpertsPlan experts;
  experts.scores = ExpertsPlan::Scores::sigmoid_grouped;
  experts.count =
      config.size({"n_routed_experts", "num_local_experts", "num_experts"}, defaults.count, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, defaults.picked, 1'024);
  experts.inner = config.size({"moe_intermediate_size"}, defaults.inner);
  experts.normalized = config.flag({"norm_topk_prob"}, defaults.normalized);
  experts.factor = config.number({"routed_scaling_factor"}, defaults.factor);
  experts.groups = config.size({"n_group"}, defaults.groups, 1'024);
  experts.groups_picked = config.size({"topk_group"}, defaults.groups_picked, 1'024);
  experts.shared = "mlp.shared_experts";
  experts.shared_inner =
      experts.inner * config.size({"n_shared_experts", "num_shared_experts"}, defaults.shared, 64);
  if (experts.count % experts.groups != 0 || experts.count / experts.groups < 2)
    config.refuse(fail(Reason::bad_request, "config.json: the groups of experts cannot be"));
  plan.experts = experts;
  const size_t dense = config.size_or_zero({"first_k_dense_replace"}, defaults.dense, 1'024);
  for (size_t i = 0; i < plan.layers.size(); ++i) plan.layers[i].experts = i >= dense;
  const boost::json::array* types = config.array("mlp_layer_types");
  if (types == nullptr) return;
  if (types->size() != plan.layers.size())
    return config.refuse(fail(Reason::bad_request, "config.json: mlp_layer_types is not one a layer"));
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const std::string_view name = (*types)[i].is_string() ? std::string_view((*types)[i].get_string()) : "";
    if (name != "sparse" && name != "dense")
      config.refuse(
          fail(Reason::model_unsupported, "config.json: mlp_layer_types has a kind that is not known"));
    plan.layers[i].experts = name == "sparse";
  }
}

void add_sparse_block(ConfigReader& config, DecoderPlan& plan, size_t count, size_t picked) {
  ExpertsPlan experts;
  experts.count = config.size({"num_local_experts", "num_experts"}, count, 1'024);
  experts.picked = config.size({"num_experts_per_tok"}, picked, 1'024);
  experts.inner = plan.inner;
  experts.router = "block_sparse_moe.gate";
  experts.experts = "block_sparse_moe.experts";
  experts.gate = "w1";
  experts.up = "w3";
  experts.down = "w2";
  plan.experts = experts;
  for (DecoderPlan::Layer& layer : plan.layers) layer.experts = true;
}

}  // namespace holdfast::model
