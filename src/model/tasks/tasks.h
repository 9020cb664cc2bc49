#pragma once

#include <boost/json/fwd.hpp>

#include "model/stage_times.h"
#include "model/text_model.h"

// The text tasks of the Inference API, one file each: inputs and parameters as JSON, answers as transformers'
// pipelines give them. bad_request where inputs do not fit, model_unsupported where the model has another
// head.
namespace holdfast::model {

struct TaskCall {
  const TextModel& model;
  const boost::json::value& inputs;
  const boost::json::object& parameters;
  tensor::Threads& threads;
  StageTimes* times = nullptr;  // Null: nobody asks.

  // As the model's own, with their time and tokens counted.
  Result<token::Encoding> encode(std::string_view text, std::optional<std::string_view> pair,
                                 LongText long_text) const;
  Result<token::Encoding> encode_with(std::string_view text, std::optional<std::string_view> pair,
                                      const token::Truncation* truncation) const;
  Result<token::Encoding> encode_words(std::span<const std::string> words,
                                       const token::Truncation* truncation) const;
  Result<std::vector<NamedOutput>> run(std::span<const token::Encoding> encodings) const;
  Result<NamedOutput> logits(std::span<const token::Encoding> encodings) const;
};

Result<boost::json::value> classify_text(const TaskCall& call);
Result<boost::json::value> classify_tokens(const TaskCall& call);
Result<boost::json::value> fill_mask(const TaskCall& call);
Result<boost::json::value> answer_question(const TaskCall& call);
Result<boost::json::value> classify_zero_shot(const TaskCall& call);
// {query, texts or documents}: [{index, score}], the best first.
Result<boost::json::value> rerank(const TaskCall& call);
// A list of texts or of lists of token ids: for each a list of {index, value}, the weights of the
// vocabulary's tokens as SPLADE pools the logits of a masked language head. Parameters: truncation,
// truncation_direction.
Result<boost::json::value> embed_sparse(const TaskCall& call);

}  // namespace holdfast::model
