#include <fmt/format.h>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {

// Layers in groups that share their weights, narrow tables.
void plan_albert(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.activation_fallback = "gelu_new";
  const size_t layers = read_sizes(config, plan, keys);
  plan.embedding_width = config.size({"embedding_size"}, 128, 16'384);
  plan.prefixes = {"albert."};
  name_as_bert(plan);
  plan.embedding_projection = "encoder.embedding_hidden_mapping_in";
  plan.query = "attention.query";
  plan.key = "attention.key";
  plan.value = "attention.value";
  plan.attention_out = "attention.dense";
  plan.attention_norm = "attention.LayerNorm";
  plan.up = "ffn";
  plan.out = "ffn_output";
  plan.out_norm = "full_layer_layer_norm";
  const size_t groups = config.size({"num_hidden_groups"}, 1, 256);
  const size_t inner = config.size({"inner_group_num"}, 1, 256);
  for (size_t i = 0; i < layers; ++i) {
    const size_t group = i * groups / layers;
    for (size_t at = 0; at < inner; ++at) {
      EncoderPlan::LayerKind layer;
      layer.prefix = fmt::format("encoder.albert_layer_groups.{}.albert_layers.{}.", group, at);
      plan.layers.push_back(layer);
    }
  }
  add_position_table(config, plan, 0);
  HeadNames heads;
  heads.pooled = {"pooler", plan.width, Activation::tanh};
  heads.has_pooler = true;
  heads.fill_mask = {{"predictions.dense", plan.embedding_width, plan.activation, "predictions.LayerNorm"},
                     {.linear = "predictions.decoder",
                      .outputs = plan.vocabulary,
                      .tied = plan.words,
                      .bias_name = "predictions.bias"}};
  add_heads(config, plan, heads);
  if (plan.head == Head::pre_training) {
    plan.outputs.back().output = "sop_logits";
    plan.outputs.back().steps.back() = {"sop_classifier.classifier", plan.labels.size()};
  }
}

}  // namespace holdfast::model
