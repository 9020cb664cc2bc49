#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/label_scores.h"
#include "model/tasks/task_parameters.h"
#include "model/tasks/tasks.h"

namespace holdfast::model {
namespace {

Result<token::Encoding> encode_input(const TaskCall& call, const boost::json::value& input, LongText cut) {
  if (input.is_string()) return call.encode(input.get_string(), std::nullopt, cut);
  if (!input.is_object())
    return fail(Reason::bad_request, "an input is a text or an object with text and text_pair");
  TRY(const std::string_view text, codec::json_text(input.get_object(), "text"));
  TRY(const auto pair, codec::json_text_if(input.get_object(), "text_pair"));
  return call.encode(text, pair, cut);
}

// What one input is answered with: without top_k the likeliest label by itself, in a list of its own where
// the input is a bare text, as transformers' pipelines have it.
boost::json::value answer_of(const TaskCall& call, const boost::json::value& input,
                             boost::json::array scores) {
  const bool is_bare = input.is_string() && !call.inputs.is_array();
  if (call.parameters.contains("top_k") || is_bare || scores.empty())
    return boost::json::value(std::move(scores));
  return std::move(scores.front());
}

// One when absent, all when null.
Result<size_t> read_top(const boost::json::object& parameters) {
  const boost::json::value* value = parameters.if_contains("top_k");
  if (value != nullptr && value->is_null()) return SIZE_MAX;
  TRY(const auto top, read_count(parameters, "top_k"));
  return top.value_or(1);
}

}  // namespace

Result<boost::json::value> classify_text(const TaskCall& call) {
  TRY_DONE(call.model.expect_head(Head::sequence_classification, "text-classification"));
  TRY(const Squash squash,
      read_squash(call.parameters, call.model.problem_type(), call.model.plan().labels.size()));
  TRY(const size_t top, read_top(call.parameters));
  TRY(const LongText cut, read_long_text(call.parameters));
  std::vector<token::Encoding> encodings;
  const bool several = call.inputs.is_array();
  if (several) {
    for (const boost::json::value& one : call.inputs.get_array()) {
      TRY(token::Encoding encoding, encode_input(call, one, cut));
      encodings.push_back(std::move(encoding));
    }
  } else {
    TRY(token::Encoding encoding, encode_input(call, call.inputs, cut));
    encodings.push_back(std::move(encoding));
  }
  if (encodings.empty()) return boost::json::value(boost::json::array());
  TRY(const NamedOutput logits, call.logits(encodings));
  boost::json::array all;
  for (size_t i = 0; i < encodings.size(); ++i)
    all.push_back(
        answer_of(call, several ? call.inputs.get_array()[i] : call.inputs,
                  scored_labels(call.model.plan().labels,
                                {logits.data.data() + i * logits.columns, logits.columns}, squash, top)));
  if (several) return boost::json::value(std::move(all));
  return std::move(all[0]);
}

}  // namespace holdfast::model
