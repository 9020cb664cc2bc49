#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "model/families/encoder_parts.h"
#include "model/families/encoders.h"

namespace holdfast::model {
namespace {

// Its tensors are named by kind and then by layer.
void name_layers(EncoderPlan& plan, size_t layers) {
  add_layers(plan, "layers.", layers);
  for (size_t i = 0; i < layers; ++i) {
    plan.renames.emplace_back(fmt::format("layers.{}.attention.", i), fmt::format("attentions.{}.", i));
    plan.renames.emplace_back(fmt::format("layers.{}.attention_norm", i), fmt::format("layer_norm1.{}", i));
    plan.renames.emplace_back(fmt::format("layers.{}.ffn.", i), fmt::format("ffns.{}.", i));
    plan.renames.emplace_back(fmt::format("layers.{}.ffn_norm", i), fmt::format("layer_norm2.{}", i));
  }
}

void refuse(ConfigReader& config, std::string_view what) {
  config.refuse(fail(Reason::model_unsupported, fmt::format("config.json: {} is not supported", what)));
}

// The beam over starts and ends that SQuADHead searches has answers of another shape.
bool has_beam(ConfigReader& config) {
  const boost::json::array* names = config.array("architectures");
  return names != nullptr && !names->empty() && (*names)[0].is_string() &&
         std::string_view((*names)[0].get_string()).ends_with("ForQuestionAnswering");
}

void add_xlm_heads(ConfigReader& config, EncoderPlan& plan) {
  HeadNames heads;
  heads.fill_mask = {{.linear = "pred_layer.proj", .outputs = plan.vocabulary, .tied = plan.words}};
  if (plan.head != Head::sequence_classification && plan.head != Head::multiple_choice)
    return add_heads(config, plan, heads);
  // The summary is the answer, of several choices after one more layer.
  read_summary(config, plan, heads, {.type = "first", .activation = "", .projects = true});
  if (heads.pooled_rows != HeadPlan::Rows::first) refuse(config, "a summary_type other than 'first'");
  if (heads.pooled.linear.empty()) refuse(config, "summary_use_proj = false");
  if (!config.flag({"summary_proj_to_labels"}, true)) refuse(config, "summary_proj_to_labels = false");
  HeadPlan answer{"logits", HeadPlan::Rows::first, HeadPlan::Shape::columns, {heads.pooled}};
  answer.steps.front().outputs = plan.labels.size();
  if (plan.head == Head::multiple_choice) {
    answer.shape = HeadPlan::Shape::choices;
    answer.steps.push_back({"logits_proj", 1});
  }
  plan.outputs.push_back(answer);
}

}  // namespace

// BERT under other names; padding has no rows. Languages are those of tokens that nobody named: none.
void plan_xlm(ConfigReader& config, EncoderPlan& plan) {
  SizeKeys keys;
  keys.width = {"emb_dim", "hidden_size"};
  keys.layers = {"n_layers", "num_hidden_layers"};
  keys.heads = {"n_heads", "num_attention_heads"};
  keys.inner = {};
  keys.activation = {};
  const size_t layers = read_sizes(config, plan, keys);
  plan.vocabulary = config.size({"vocab_size", "n_words"}, 30'145, 4'000'000);
  plan.inner = 4 * plan.width;
  plan.activation = config.flag({"gelu_activation"}, true) ? Activation::gelu : Activation::relu;
  plan.types = 0;
  plan.zeroes_padding = true;
  plan.prefixes = {"transformer."};
  plan.words = "embeddings";
  plan.position_table = "position_embeddings";
  plan.position_rows = plan.positions;
  plan.embedding_norm = "layer_norm_emb";
  plan.query = "attention.q_lin";
  plan.key = "attention.k_lin";
  plan.value = "attention.v_lin";
  plan.attention_out = "attention.out_lin";
  plan.attention_norm = "attention_norm";
  plan.up = "ffn.lin1";
  plan.out = "ffn.lin2";
  plan.out_norm = "ffn_norm";
  name_layers(plan, layers);
  if (config.flag({"causal"}, false)) refuse(config, "causal");
  if (!config.flag({"is_encoder"}, true)) refuse(config, "is_encoder = false");
  if (config.flag({"asm"}, false)) refuse(config, "an adaptive softmax (asm)");
  if (plan.head == Head::question_answering && has_beam(config))
    refuse(config, "a head that searches answers (SQuADHead; only ForQuestionAnsweringSimple is)");
  add_xlm_heads(config, plan);
}

// XLM for French, the larger ones with norms before each branch.
void plan_flaubert(ConfigReader& config, EncoderPlan& plan) {
  plan_xlm(config, plan);
  if (config.flag({"pre_norm"}, false)) plan.norm_place = EncoderPlan::NormPlace::before;
}

}  // namespace holdfast::model
