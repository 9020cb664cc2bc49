#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "model/families/decoder_parts.h"
#include "model/families/decoders.h"

namespace holdfast::model {
namespace {

// What each layer is, in either spelling: a list of words, or a text with a letter a layer.
std::vector<std::string> kinds_of_layers(ConfigReader& config) {
  std::vector<std::string> out;
  const boost::json::array* named = config.array("layers_block_type");
  if (named == nullptr) named = config.array("layer_types");
  if (named != nullptr) {
    for (const boost::json::value& one : *named)
      out.emplace_back(one.is_string() ? std::string_view(one.get_string()) : "");
    return out;
  }
  for (const char letter : config.text({"hybrid_override_pattern"}, "ME*-"))
    out.emplace_back(letter == 'M'   ? "mamba"
                     : letter == '*' ? "attention"
                     : letter == 'E' ? "moe"
                     : letter == '-' ? "mlp"
                                     : "");
  return out;
}

void place_kinds(ConfigReader& config, DecoderPlan& plan) {
  const std::vector<std::string> kinds = kinds_of_layers(config);
  if (kinds.empty() || kinds.size() > 1'024)
    return config.refuse(fail(Reason::bad_request, "config.json: the kinds of layers cannot be"));
  plan.layers.assign(kinds.size(), {});
  for (size_t i = 0; i < kinds.size(); ++i) {
    DecoderPlan::Layer& layer = plan.layers[i];
    layer.rope = -1;
    layer.recurrent = kinds[i] == "mamba" || kinds[i] == "linear_attention";
    layer.attends = kinds[i] == "attention" || kinds[i] == "full_attention";
    layer.experts = kinds[i] == "moe";
    layer.feeds = layer.experts || kinds[i] == "mlp";
    if (!layer.recurrent && !layer.attends && !layer.feeds)
      config.refuse(fail(Reason::model_unsupported, "config.json: a kind of layer is not known"));
  }
}

}  // namespace

// Every layer is one thing alone: a state space, attention without positions, experts or a feed-forward, none
// of them with gates.
void plan_nemotron_h(ConfigReader& config, DecoderPlan& plan) {
  boost::json::object rest = config.json();
  rest["num_hidden_layers"] = 1;  // The kinds count.
  ConfigReader reader(rest);
  read_decoder_sizes(
      reader, plan,
      {.activation = "relu2", .epsilon = 1e-5, .key_heads = 8, .head_width = 128, .positions = 4'096});
  if (!reader.status().ok()) config.refuse(reader.status().error());
  plan.activation = tensor::Activation::silu;
  plan.recurrent = read_state_space(config, plan);
  plan.recurrent->name = "mixer";
  plan.recurrent->activation = activation_of(config, config.text({"mamba_hidden_act"}, "silu"));
  plan.recurrent->pace_min = config.number({"mamba_dt_min", "time_step_min"}, 0.001);
  plan.recurrent->bias = plan.recurrent->out_bias = bias_if(config.flag({"use_bias"}, false));
  if (!config.has("n_groups") && !config.has("mamba_n_groups")) plan.recurrent->key_heads = 8;
  if (!config.has("ssm_state_size")) plan.recurrent->key_width = 128;
  plan.recurrent->value_width = config.size({"mamba_head_dim"}, 64, 4'096);
  plan.activation = activation_of(config, config.text({"mlp_hidden_act"}, "relu2"));
  plan.gated = false;
  plan.inner_bias = bias_if(config.flag({"mlp_bias"}, false));
  plan.prefixes = {"backbone.", "model."};
  plan.words = "embeddings";
  plan.final_norm = "norm_f";
  plan.attention_norm = plan.inner_norm = "norm";
  plan.query = "mixer.q_proj";
  plan.key = "mixer.k_proj";
  plan.value = "mixer.v_proj";
  plan.attention_out = "mixer.o_proj";
  plan.up = "mixer.up_proj";
  plan.down = "mixer.down_proj";
  add_grouped_experts(config, plan, {.count = 8, .picked = 2, .inner = 7'688});
  ExpertsPlan& experts = *plan.experts;
  experts.gated = false;
  experts.router = "mixer.gate";
  experts.experts = "mixer.experts";
  experts.shared = "mixer.shared_experts";
  experts.shared_inner = config.size({"moe_shared_expert_intermediate_size"}, 7'688, 1 << 20);
  experts.shared_bias = plan.inner_bias;
  if (config.has("moe_latent_size"))
    config.refuse(fail(Reason::model_unsupported, "config.json: moe_latent_size is not supported"));
  place_kinds(config, plan);
}

}  // namespace holdfast::model
