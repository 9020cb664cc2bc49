#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/task_parameters.h"
#include "model/tasks/tasks.h"

namespace holdfast::model {
namespace {

enum class Squash : uint8_t { none, sigmoid, softmax };

Result<Squash> read_squash(const TaskCall& call) {
  TRY(const auto name, codec::json_text_if(call.parameters, "function_to_apply"));
  if (name) {
    if (*name == "sigmoid") return Squash::sigmoid;
    if (*name == "softmax") return Squash::softmax;
    if (*name == "none") return Squash::none;
    return fail(Reason::bad_request, "function_to_apply is sigmoid, softmax or none");
  }
  const std::string_view problem = call.model.problem_type();
  if (problem == "regression") return Squash::none;
  if (problem == "multi_label_classification" || call.model.plan().labels.size() == 1) return Squash::sigmoid;
  return Squash::softmax;
}

Result<token::Encoding> encode_input(const TaskCall& call, const boost::json::value& input, LongText cut) {
  if (input.is_string()) return call.encode(input.get_string(), std::nullopt, cut);
  if (!input.is_object())
    return fail(Reason::bad_request, "an input is a text or an object with text and text_pair");
  TRY(const std::string_view text, codec::json_text(input.get_object(), "text"));
  TRY(const auto pair, codec::json_text_if(input.get_object(), "text_pair"));
  return call.encode(text, pair, cut);
}

boost::json::array scored(const TextModel& model, std::span<const float> logits, Squash squash, size_t top) {
  std::vector<float> scores(logits.begin(), logits.end());
  if (squash == Squash::softmax) scores = softmax(logits);
  if (squash == Squash::sigmoid)
    for (float& x : scores) x = sigmoid(x);
  std::vector<size_t> order(scores.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  order.resize(std::min(order.size(), top));
  boost::json::array out;
  for (size_t i : order)
    out.push_back(boost::json::object{{"label", model.plan().labels[i]}, {"score", scores[i]}});
  return out;
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
  TRY(const Squash squash, read_squash(call));
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
    all.push_back(answer_of(
        call, several ? call.inputs.get_array()[i] : call.inputs,
        scored(call.model, {logits.data.data() + i * logits.columns, logits.columns}, squash, top)));
  if (several) return boost::json::value(std::move(all));
  return std::move(all[0]);
}

}  // namespace holdfast::model
