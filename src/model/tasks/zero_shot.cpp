#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "model/tasks/task_parameters.h"
#include "model/tasks/tasks.h"

namespace holdfast::model {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// A list, or one text with commas.
Result<std::vector<std::string>> read_labels(const boost::json::object& parameters) {
  const boost::json::value* value = parameters.if_contains("candidate_labels");
  if (value == nullptr || value->is_null()) return fail(Reason::bad_request, "candidate_labels is missing");
  TRY(std::vector<std::string> given, read_texts(*value, "candidate_labels"));
  std::vector<std::string> labels;
  if (value->is_string()) {
    std::string_view rest = given[0];
    while (!rest.empty()) {
      const size_t comma = std::min(rest.find(','), rest.size());
      if (const std::string_view one = trimmed(rest.substr(0, comma)); !one.empty()) labels.emplace_back(one);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  } else {
    labels = std::move(given);
  }
  if (labels.empty() || labels.size() > 1'000)
    return fail(Reason::bad_request, "candidate_labels must be 1 to 1000 labels");
  return labels;
}

size_t entailment_of(const std::vector<std::string>& labels) {
  for (size_t i = 0; i < labels.size(); ++i) {
    std::string lower = labels[i];
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (lower.starts_with("entail")) return i;
  }
  return labels.size() - 1;  // As transformers: the last where none says so.
}

std::string hypothesis(std::string_view form, std::string_view label) {
  const size_t at = form.find("{}");
  return std::string(form.substr(0, at)).append(label).append(form.substr(at + 2));
}

boost::json::object ordered(std::string_view sequence, const std::vector<std::string>& labels,
                            const std::vector<float>& scores) {
  std::vector<size_t> order(labels.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = order.size() - 1 - i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  boost::json::array names, numbers;
  for (size_t i : order) {
    names.emplace_back(labels[i]);
    numbers.emplace_back(scores[i]);
  }
  return {{"sequence", sequence}, {"labels", std::move(names)}, {"scores", std::move(numbers)}};
}

}  // namespace

Result<boost::json::value> classify_zero_shot(const TaskCall& call) {
  TRY_DONE(call.model.expect_head(Head::sequence_classification, "zero-shot-classification"));
  TRY(const std::vector<std::string> labels, read_labels(call.parameters));
  TRY(const auto form, codec::json_text_if(call.parameters, "hypothesis_template"));
  const std::string_view pattern = form.value_or("This example is {}.");
  if (pattern.find("{}") == std::string_view::npos)
    return fail(Reason::bad_request, "hypothesis_template has no {} for the label");
  TRY(const auto multi, codec::json_flag_if(call.parameters, "multi_label"));
  TRY(const std::vector<std::string> texts, read_texts(call.inputs, "inputs"));
  const size_t columns = call.model.plan().labels.size();
  const size_t entailment = entailment_of(call.model.plan().labels);
  const size_t contradiction = entailment == 0 ? columns - 1 : 0;
  const token::Truncation truncation{.length_max = call.model.tokens_max(),
                                     .strategy = token::TruncationStrategy::only_first};
  boost::json::array all;
  for (const std::string& text : texts) {
    std::vector<token::Encoding> encodings;
    for (const std::string& label : labels) {
      TRY(token::Encoding one, call.encode_with(text, hypothesis(pattern, label), &truncation));
      encodings.push_back(std::move(one));
    }
    TRY(const NamedOutput logits, call.logits(encodings));
    const auto at = [&](size_t row, size_t column) { return logits.data.data()[row * columns + column]; };
    std::vector<float> scores;
    for (size_t i = 0; i < labels.size(); ++i) {
      if (multi.value_or(false) || labels.size() == 1)
        scores.push_back(softmax(std::vector<float>{at(i, contradiction), at(i, entailment)})[1]);
      else
        scores.push_back(at(i, entailment));
    }
    if (!multi.value_or(false) && labels.size() > 1) scores = softmax(scores);
    all.push_back(ordered(text, labels, scores));
  }
  if (call.inputs.is_array()) return boost::json::value(std::move(all));
  return std::move(all[0]);
}

}  // namespace holdfast::model
