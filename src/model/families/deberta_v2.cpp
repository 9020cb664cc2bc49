#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {
namespace {

// "p2c|c2p" or ["p2c", "c2p"].
bool names_kind(ConfigReader& config, std::string_view kind) {
  const boost::json::value* value = config.json().if_contains("pos_att_type");
  if (value == nullptr || value->is_null()) return false;
  if (value->is_string()) return std::string_view(value->get_string()).find(kind) != std::string_view::npos;
  if (value->is_array())
    for (const boost::json::value& one : value->get_array())
      if (one.is_string() && std::string_view(one.get_string()) == kind) return true;
  return false;
}

void read_distances(ConfigReader& config, EncoderPlan& plan) {
  Disentangled out;
  out.content_to_position = names_kind(config, "c2p");
  out.position_to_content = names_kind(config, "p2c");
  const size_t parts = 1 + (out.content_to_position ? 1 : 0) + (out.position_to_content ? 1 : 0);
  plan.scale = 1.0F / std::sqrt(static_cast<float>(plan.head_width * parts));
  if (!config.flag({"relative_attention"}, false)) return;
  out.distance_max = config.size_or_zero({"max_relative_positions"}, 0);
  if (out.distance_max < 1) out.distance_max = config.size({"max_position_embeddings"}, 512);
  out.buckets = config.size_or_zero({"position_buckets"}, 0);
  out.span = out.buckets > 0 ? out.buckets : out.distance_max;
  out.shares_projections = config.flag({"share_att_key"}, false);
  out.normalized = config.text({"norm_rel_ebd"}, "none").find("layer_norm") != std::string::npos;
  plan.disentangled = out;
}

void read_convolution(ConfigReader& config, EncoderPlan& plan) {
  const size_t kernel = config.size_or_zero({"conv_kernel_size"}, 0, 1'024);
  if (kernel == 0) return;
  SideConvolution out;
  out.kernel = kernel;
  out.groups = config.size({"conv_groups"}, 1, 16'384);
  out.activation = read_activation(config, {"conv_act"}, "tanh");
  if (kernel % 2 == 0 || plan.width % out.groups != 0)
    config.refuse(fail(Reason::bad_request, "config.json: the convolution cannot be"));
  plan.convolution = out;
}

}  // namespace

// Attention by content and distance; mostly without a table of positions.
void plan_deberta_v2(ConfigReader& config, EncoderPlan& plan) {
  const size_t layers = read_sizes(config, plan, {});
  plan.types = config.size_or_zero({"type_vocab_size"}, 0, 1'024);
  plan.epsilon = config.number({"layer_norm_eps"}, 1e-7);
  plan.embedding_width = config.size({"embedding_size"}, plan.width, 16'384);
  plan.prefixes = {"deberta."};
  plan.zeroes_padding = true;
  name_as_bert(plan);
  plan.query = "attention.self.query_proj";
  plan.key = "attention.self.key_proj";
  plan.value = "attention.self.value_proj";
  if (plan.embedding_width != plan.width) {
    plan.embedding_projection = "embeddings.embed_proj";
    plan.projection_bias = Bias::without;
    plan.projects_first = true;
  }
  add_layers(plan, "encoder.layer.", layers);
  if (config.flag({"position_biased_input"}, true)) add_position_table(config, plan, 0);
  read_distances(config, plan);
  read_convolution(config, plan);
  HeadNames heads;
  heads.pooled = {"pooler.dense", plan.width, read_activation(config, {"pooler_hidden_act"}, "gelu")};
  if (config.flag({"legacy"}, true)) {
    heads.fill_mask = {{"cls.predictions.transform.dense", plan.embedding_width, plan.activation,
                        "cls.predictions.transform.LayerNorm"},
                       {.linear = "cls.predictions.decoder",
                        .outputs = plan.vocabulary,
                        .tied = plan.words,
                        .bias_name = "cls.predictions.bias"}};
  } else {
    heads.fill_mask = {
        {"lm_predictions.lm_head.dense", plan.width, plan.activation, "lm_predictions.lm_head.LayerNorm"},
        {.linear = "lm_predictions.lm_head.decoder",
         .outputs = plan.vocabulary,
         .tied = plan.words,
         .bias_name = "lm_predictions.lm_head.bias"}};
  }
  add_heads(config, plan, heads);
}

}  // namespace holdfast::model
