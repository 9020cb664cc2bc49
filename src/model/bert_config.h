#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace holdfast::model {

// What a checkpoint is for: the head on top of the encoder.
enum class Head : uint8_t {
  none,
  sequence_classification,
  token_classification,
  fill_mask,
  question_answering
};

// config.json of the BERT family, in the spelling of any transformers version.
struct BertConfig {
  size_t width = 0;                 // E, hidden_size
  size_t layers = 0;                // num_hidden_layers
  size_t heads = 0;                 // num_attention_heads; width is a multiple of it
  size_t inner = 0;                 // intermediate_size
  size_t vocabulary = 0;            // V
  size_t positions = 0;             // max_position_embeddings
  size_t types = 2;                 // type_vocab_size
  float epsilon = 1e-12F;           // layer_norm_eps
  std::vector<std::string> labels;  // Of the classification heads, by index.
  Head head = Head::none;

  size_t head_width() const { return width / heads; }
};

// bad_request for sizes that cannot be, model_unsupported for another family, activation or kind of position.
Result<BertConfig> parse_bert_config(const boost::json::object& json);

}  // namespace holdfast::model
