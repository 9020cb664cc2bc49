#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/task_parameters.h"
#include "model/tasks/tasks.h"

namespace holdfast::model {
namespace {

// Texts, or objects with one.
Result<std::vector<std::string>> read_documents(const boost::json::object& inputs) {
  for (std::string_view key : {"texts", "documents", "sentences"}) {
    TRY(const boost::json::array* list, codec::json_array_if(inputs, key));
    if (list == nullptr) continue;
    std::vector<std::string> out;
    for (const boost::json::value& one : *list) {
      if (one.is_string()) {
        out.emplace_back(one.get_string());
      } else if (one.is_object()) {
        TRY(const std::string_view text, codec::json_text(one.get_object(), "text"));
        out.emplace_back(text);
      } else {
        return fail(Reason::bad_request, "a document is a text or an object with one");
      }
    }
    return out;
  }
  return fail(Reason::bad_request, "the texts to rank are missing");
}

}  // namespace

Result<boost::json::value> rerank(const TaskCall& call) {
  TRY_DONE(call.model.expect_head(Head::sequence_classification, "rerank"));
  if (!call.inputs.is_object()) return fail(Reason::bad_request, "rerank takes a query and texts");
  TRY(const std::string_view query, codec::json_text(call.inputs.get_object(), "query"));
  TRY(const std::vector<std::string> texts, read_documents(call.inputs.get_object()));
  TRY(const LongText cut, read_long_text(call.parameters));
  TRY(const auto raw, codec::json_flag_if(call.parameters, "raw_scores"));
  TRY(const auto shown, codec::json_flag_if(call.parameters, "return_text"));
  TRY(const auto top, read_count(call.parameters, "top_n"));
  if (call.model.plan().labels.size() != 1)
    return fail(Reason::model_unsupported, "rerank needs a model with one label");
  std::vector<token::Encoding> encodings;
  for (const std::string& text : texts) {
    TRY(token::Encoding one, call.encode(query, text, cut));
    encodings.push_back(std::move(one));
  }
  boost::json::array out;
  if (texts.empty()) return boost::json::value(std::move(out));
  TRY(const NamedOutput logits, call.logits(encodings));
  std::vector<std::pair<float, size_t>> order;
  for (size_t i = 0; i < texts.size(); ++i) {
    const float score = logits.data.data()[i];
    order.emplace_back(raw.value_or(false) ? score : sigmoid(score), i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  order.resize(std::min(order.size(), top.value_or(order.size())));
  for (const auto& [score, index] : order) {
    boost::json::object one{{"index", index}, {"score", score}};
    if (shown.value_or(false)) one["text"] = texts[index];
    out.push_back(std::move(one));
  }
  return boost::json::value(std::move(out));
}

}  // namespace holdfast::model
