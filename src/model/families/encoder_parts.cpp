#include "model/families/encoder_parts.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "model/families/labels.h"

namespace holdfast::model {
namespace {

// "RobertaForTokenClassification": what follows "For" counts.
Head read_head(ConfigReader& config) {
  const boost::json::array* names = config.array("architectures");
  if (names == nullptr || names->empty() || !(*names)[0].is_string()) return Head::none;
  const std::string_view name = (*names)[0].get_string();
  size_t at = name.rfind("For");
  // Not that of RoFormerModel.
  if (at != std::string_view::npos && (at + 3 == name.size() || name[at + 3] < 'A' || name[at + 3] > 'Z'))
    at = std::string_view::npos;
  if (name.ends_with("WithLMHeadModel")) return Head::fill_mask;
  if (at == std::string_view::npos && (name.ends_with("Model") || name.ends_with("Encoder")))
    return Head::none;
  const std::string_view what = at == std::string_view::npos ? std::string_view() : name.substr(at + 3);
  if (what == "SequenceClassification") return Head::sequence_classification;
  if (what == "TokenClassification") return Head::token_classification;
  if (what == "MaskedLM") return Head::fill_mask;
  if (what == "QuestionAnswering" || what == "QuestionAnsweringSimple") return Head::question_answering;
  if (what == "MultipleChoice") return Head::multiple_choice;
  if (what == "PreTraining") return Head::pre_training;
  if (what == "NextSentencePrediction") return Head::next_sentence;
  if (what == "SentenceEmbedding") return Head::none;
  config.refuse(fail(Reason::model_unsupported,
                     fmt::format("models of class '{}' are not supported", name.substr(0, 80))));
  return Head::none;
}

std::vector<HeadStep> then(std::vector<HeadStep> steps, HeadStep last) {
  steps.push_back(std::move(last));
  return steps;
}

}  // namespace

Activation read_activation(ConfigReader& config, const ConfigReader::Names& names,
                           std::string_view fallback) {
  const std::string name = config.text(names, fallback);
  const auto activation = tensor::activation_from_name(name);
  if (!activation)
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("config.json: the activation '{}' is not known", name.substr(0, 60))));
  return activation.value_or(Activation::none);
}

size_t read_sizes(ConfigReader& config, EncoderPlan& plan, const SizeKeys& keys) {
  plan.width = config.size(keys.width, 768, 16'384);
  plan.heads = config.size(keys.heads, 12, 1'024);
  plan.inner = config.size(keys.inner, 3'072);
  plan.vocabulary = config.size({"vocab_size"}, 30'522, 4'000'000);
  plan.embedding_width = plan.width;
  plan.epsilon = config.number({"layer_norm_eps", "norm_eps", "layer_norm_epsilon"}, 1e-12);
  plan.activation = read_activation(config, keys.activation, keys.activation_fallback);
  plan.positions = config.size({"max_position_embeddings"}, 512, 1 << 24);
  plan.types = config.size_or_zero({"type_vocab_size"}, 2, 1'024);
  plan.head_width = plan.width / plan.heads;
  plan.labels = read_labels(config);
  plan.head = read_head(config);
  if (plan.width % plan.heads != 0)
    config.refuse(
        fail(Reason::bad_request, "config.json: the width is not a multiple of the number of heads"));
  if (config.flag({"is_decoder"}, false) || config.flag({"add_cross_attention"}, false))
    config.refuse(fail(Reason::model_unsupported, "this family as a decoder is not supported"));
  const std::string positions = config.text({"position_embedding_type"}, "absolute");
  if (positions != "absolute" && positions != "rope" && positions != "rotary")
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("position embeddings of type '{}' are not supported", positions)));
  return config.size(keys.layers, 12, 256);
}

void name_as_bert(EncoderPlan& plan) {
  plan.words = "embeddings.word_embeddings";
  plan.type_table = "embeddings.token_type_embeddings";
  plan.embedding_norm = "embeddings.LayerNorm";
  plan.query = "attention.self.query";
  plan.key = "attention.self.key";
  plan.value = "attention.self.value";
  plan.attention_out = "attention.output.dense";
  plan.attention_norm = "attention.output.LayerNorm";
  plan.up = "intermediate.dense";
  plan.out = "output.dense";
  plan.out_norm = "output.LayerNorm";
}

void add_layers(EncoderPlan& plan, std::string_view prefix, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    EncoderPlan::LayerKind layer;
    layer.prefix = fmt::format("{}{}.", prefix, i);
    plan.layers.push_back(layer);
  }
}

void add_position_table(ConfigReader& config, EncoderPlan& plan, size_t skipped) {
  plan.position_table = "embeddings.position_embeddings";
  plan.position_rows = plan.positions;
  if (plan.positions <= skipped)
    config.refuse(fail(Reason::bad_request, "config.json: max_position_embeddings leaves no position"));
  else
    plan.positions -= skipped;
}

void read_summary(ConfigReader& config, const EncoderPlan& plan, HeadNames& heads,
                  const SummaryDefaults& defaults) {
  const boost::json::value* given = config.json().if_contains("summary_activation");
  const std::string activation =
      given != nullptr && given->is_null() ? "" : config.text({"summary_activation"}, defaults.activation);
  heads.pooled = {
      "sequence_summary.summary", plan.width,
      activation.empty() ? Activation::none : read_activation(config, {"summary_activation"}, activation)};
  if (!config.flag({"summary_use_proj"}, defaults.projects)) heads.pooled.linear.clear();
  const std::string type = config.text({"summary_type"}, defaults.type);
  if (type == "first") return;
  heads.counts_padding = true;  // As in transformers, where the summary does not see the mask.
  if (type == "mean") {
    heads.pooled_rows = HeadPlan::Rows::mean;
  } else if (type == "last" || type == "cls_index") {  // An index can only be given by hand.
    heads.pooled_rows = HeadPlan::Rows::last;
  } else {
    config.refuse(fail(Reason::model_unsupported,
                       fmt::format("a summary of type '{}' is not supported", type.substr(0, 60))));
  }
}

HeadNames bert_heads(const EncoderPlan& plan) {
  const std::string cls = "cls.predictions.";
  HeadNames heads;
  heads.pooled = {"pooler.dense", plan.width, Activation::tanh};
  heads.has_pooler = true;
  heads.fill_mask = {
      {cls + "transform.dense", plan.width, plan.activation, cls + "transform.LayerNorm"},
      {.linear = cls + "decoder", .outputs = plan.vocabulary, .tied = plan.words, .bias_name = cls + "bias"}};
  return heads;
}

void add_discriminator(EncoderPlan& plan) {
  plan.outputs.push_back({"logits",
                          HeadPlan::Rows::tokens,
                          HeadPlan::Shape::flat,
                          {{"discriminator_predictions.dense", plan.width, plan.activation},
                           {"discriminator_predictions.dense_prediction", 1}}});
}

HeadNames roberta_heads(const EncoderPlan& plan) {
  HeadNames heads;
  heads.has_pooler = plan.head == Head::none;
  heads.pooled = plan.head == Head::sequence_classification
                     ? HeadStep{"classifier.dense", plan.width, Activation::tanh}
                     : HeadStep{"pooler.dense", plan.width, Activation::tanh};
  heads.classifier = "classifier.out_proj";
  heads.fill_mask = {{"lm_head.dense", plan.width, Activation::gelu, "lm_head.layer_norm"},
                     {.linear = "lm_head.decoder",
                      .outputs = plan.vocabulary,
                      .tied = plan.words,
                      .bias_name = "lm_head.bias"}};
  return heads;
}

void add_heads(ConfigReader& config, EncoderPlan& plan, const HeadNames& names) {
  const size_t labels = plan.labels.size();
  using Rows = HeadPlan::Rows;
  using Shape = HeadPlan::Shape;
  const auto logits = [&](Rows rows, Shape shape, std::vector<HeadStep> steps) {
    const bool counts = names.counts_padding && (rows == Rows::mean || rows == Rows::last);
    plan.outputs.push_back({"logits", rows, shape, std::move(steps), false, counts});
  };
  const auto pooled = [&](HeadStep last) { return then({names.pooled}, std::move(last)); };
  switch (plan.head) {
    case Head::none:
      if (names.has_pooler)
        plan.outputs.push_back({"pooler_output", names.pooled_rows, Shape::columns, {names.pooled}, true});
      return;
    case Head::sequence_classification:
      return logits(names.pooled_rows, Shape::columns, pooled({names.classifier, labels}));
    case Head::multiple_choice:
      return logits(names.pooled_rows, Shape::choices, pooled({"classifier", 1}));
    case Head::token_classification:
      return logits(Rows::tokens, Shape::columns, then(names.before_each, {names.token_classifier, labels}));
    case Head::question_answering:
      plan.outputs.push_back(
          {"", Rows::tokens, Shape::start_end, then(names.before_each, {names.answer, 2})});
      return;
    case Head::fill_mask:
      return logits(Rows::tokens, Shape::columns, names.fill_mask);
    case Head::pre_training:
      plan.outputs.push_back({"prediction_logits", Rows::tokens, Shape::columns, names.fill_mask});
      plan.outputs.push_back(
          {"seq_relationship_logits", Rows::first, Shape::columns, pooled({"cls.seq_relationship", 2})});
      return;
    case Head::next_sentence:
      return logits(Rows::first, Shape::columns, pooled({"cls.seq_relationship", 2}));
  }
  (void)config;
}

}  // namespace holdfast::model
