#pragma once

#include <boost/json/fwd.hpp>

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
};

Result<boost::json::value> classify_text(const TaskCall& call);
Result<boost::json::value> classify_tokens(const TaskCall& call);
Result<boost::json::value> fill_mask(const TaskCall& call);
Result<boost::json::value> answer_question(const TaskCall& call);
Result<boost::json::value> classify_zero_shot(const TaskCall& call);
// {query, texts or documents}: [{index, score}], the best first.
Result<boost::json::value> rerank(const TaskCall& call);

}  // namespace holdfast::model
