#include "model/bert_config.h"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "codec/json.h"

namespace holdfast::model {
namespace {

Result<size_t> size_of(const boost::json::object& json, std::string_view key, int64_t most) {
  TRY(const int64_t number, codec::json_integer(json, key));
  if (number < 1 || number > most)
    return fail(Reason::bad_request,
                fmt::format("config.json: {} is {}, 1 to {} are possible", key, number, most));
  return static_cast<size_t>(number);
}

Result<Head> head_of(const boost::json::object& json) {
  TRY(const boost::json::array* names, codec::json_array_if(json, "architectures"));
  if (names == nullptr || names->empty() || !(*names)[0].is_string()) return Head::none;
  const std::string_view name = (*names)[0].get_string();
  if (name == "BertModel") return Head::none;
  if (name == "BertForSequenceClassification") return Head::sequence_classification;
  if (name == "BertForTokenClassification") return Head::token_classification;
  if (name == "BertForMaskedLM" || name == "BertForPreTraining") return Head::fill_mask;
  if (name == "BertForQuestionAnswering") return Head::question_answering;
  return fail(Reason::model_unsupported,
              fmt::format("models of class '{}' are not supported", name.substr(0, 80)));
}

// {"0": "NEGATIVE", "1": "POSITIVE"}: the indices are texts.
Result<std::vector<std::string>> labels_of(const boost::json::object& json) {
  constexpr size_t labels_max = 100'000;
  TRY(const boost::json::object* map, codec::json_object_if(json, "id2label"));
  if (map == nullptr) {
    TRY(const auto count, codec::json_integer_if(json, "num_labels"));
    if (count && (*count < 1 || *count > static_cast<int64_t>(labels_max)))
      return fail(Reason::bad_request, "config.json: num_labels cannot be");
    std::vector<std::string> labels;
    for (int64_t i = 0; i < count.value_or(2); ++i) labels.push_back(fmt::format("LABEL_{}", i));
    return labels;
  }
  if (map->size() > labels_max) return fail(Reason::bad_request, "config.json: id2label is too long");
  std::vector<std::string> labels(map->size());
  for (size_t i = 0; i < labels.size(); ++i) {
    TRY(const std::string_view label, codec::json_text(*map, std::to_string(i)));
    labels[i] = label;
  }
  return labels;
}

Status check_kind(const boost::json::object& json) {
  TRY(const std::string_view type, codec::json_text(json, "model_type"));
  if (type != "bert")
    return fail(Reason::model_unsupported,
                fmt::format("models of type '{}' are not supported", type.substr(0, 60)));
  TRY(const auto activation, codec::json_text_if(json, "hidden_act"));
  if (activation.value_or("gelu") != "gelu")
    return fail(Reason::model_unsupported, "an activation other than gelu is not supported");
  TRY(const auto position, codec::json_text_if(json, "position_embedding_type"));
  if (position.value_or("absolute") != "absolute")
    return fail(Reason::model_unsupported, "position embeddings other than absolute are not supported");
  TRY(const auto decoder, codec::json_flag_if(json, "is_decoder"));
  if (decoder.value_or(false)) return fail(Reason::model_unsupported, "BERT as a decoder is not supported");
  return Done{};
}

}  // namespace

Result<BertConfig> parse_bert_config(const boost::json::object& json) {
  TRY_DONE(check_kind(json));
  BertConfig config;
  TRY(config.width, size_of(json, "hidden_size", 16'384));
  TRY(config.layers, size_of(json, "num_hidden_layers", 256));
  TRY(config.heads, size_of(json, "num_attention_heads", 1'024));
  TRY(config.inner, size_of(json, "intermediate_size", 131'072));
  TRY(config.vocabulary, size_of(json, "vocab_size", 4'000'000));
  TRY(config.positions, size_of(json, "max_position_embeddings", 131'072));
  TRY(config.types, size_of(json, "type_vocab_size", 1'024));
  if (config.width % config.heads != 0)
    return fail(Reason::bad_request, "config.json: hidden_size is not a multiple of num_attention_heads");
  TRY(const auto epsilon, codec::json_number_if(json, "layer_norm_eps"));
  config.epsilon = static_cast<float>(epsilon.value_or(1e-12));
  TRY(config.head, head_of(json));
  TRY(config.labels, labels_of(json));
  return config;
}

}  // namespace holdfast::model
