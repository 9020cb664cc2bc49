#pragma once

#include "model/encoder_plan.h"

// What encoder families have in common, so that each family file states only what it does its own way.
namespace holdfast::model {

// Sizes under their usual names, labels and the head that `architectures` names; refuses sizes that do not go
// together. Families read other spellings before or after.
struct SizeKeys {
  ConfigReader::Names width = {"hidden_size"};
  ConfigReader::Names layers = {"num_hidden_layers"};
  ConfigReader::Names heads = {"num_attention_heads"};
  ConfigReader::Names inner = {"intermediate_size"};
  ConfigReader::Names activation = {"hidden_act"};
  std::string_view activation_fallback = "gelu";
};
// Returns the number of layers.
size_t read_sizes(ConfigReader& config, EncoderPlan& plan, const SizeKeys& keys);
Activation read_activation(ConfigReader& config, const ConfigReader::Names& names, std::string_view fallback);

// Names of the original BERT and of those that kept them.
void name_as_bert(EncoderPlan& plan);
// One layer after the other under PREFIX0. PREFIX1. ...
void add_layers(EncoderPlan& plan, std::string_view prefix, size_t count);
// A learned table of positions; `skipped` rows come before the first token's.
void add_position_table(ConfigReader& config, EncoderPlan& plan, size_t skipped);

// Outputs of the heads. `pooled` is what sequence classification does between first token and classifier.
struct HeadNames {
  HeadStep pooled;                              // Of the first token, for classification of sequences.
  bool has_pooler = false;                      // The bare model answers pooler_output too, made by `pooled`.
  std::string classifier = "classifier";        // Of sequences.
  std::string token_classifier = "classifier";  // Of tokens.
  std::string answer = "qa_outputs";            // Start and end.
  std::vector<HeadStep> before_each;            // On every token before a classifier of tokens.
  std::vector<HeadStep> fill_mask;
  HeadPlan::Rows pooled_rows = HeadPlan::Rows::first;
  bool counts_padding = false;  // As HeadPlan has it, of the pooled outputs.
};
// What ELECTRA and RoFormer sum a sequence up by before they judge it among choices.
struct SummaryDefaults {
  std::string_view type = "first", activation = "gelu";  // Empty: none.
  bool projects = true;
};
void read_summary(ConfigReader& config, const EncoderPlan& plan, HeadNames& heads,
                  const SummaryDefaults& defaults = {});
// Those of BERT.
HeadNames bert_heads(const EncoderPlan& plan);
// Those of RoBERTa, which MPNet shares.
HeadNames roberta_heads(const EncoderPlan& plan);
// Whether each token was put in another's place, as ELECTRA is trained before.
void add_discriminator(EncoderPlan& plan);
void add_heads(ConfigReader& config, EncoderPlan& plan, const HeadNames& names);

}  // namespace holdfast::model
