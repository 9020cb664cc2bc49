#include "model/tasks/label_scores.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "base/check.h"
#include "codec/json.h"
#include "model/tasks/task_parameters.h"

namespace holdfast::model {

Result<Squash> read_squash(const boost::json::object& parameters, std::string_view problem_type,
                           size_t labels) {
  TRY(const auto name, codec::json_text_if(parameters, "function_to_apply"));
  if (name) {
    if (*name == "sigmoid") return Squash::sigmoid;
    if (*name == "softmax") return Squash::softmax;
    if (*name == "none") return Squash::none;
    return fail(Reason::bad_request, "function_to_apply is sigmoid, softmax or none");
  }
  if (problem_type == "regression") return Squash::none;
  if (problem_type == "multi_label_classification" || labels == 1) return Squash::sigmoid;
  return Squash::softmax;
}

boost::json::array scored_labels(const std::vector<std::string>& labels, std::span<const float> logits,
                                 Squash squash, size_t top) {
  CHECK(labels.size() == logits.size());
  std::vector<float> scores(logits.begin(), logits.end());
  if (squash == Squash::softmax) scores = softmax(logits);
  if (squash == Squash::sigmoid)
    for (float& x : scores) x = sigmoid(x);
  std::vector<size_t> order(scores.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  order.resize(std::min(order.size(), top));
  boost::json::array out;
  for (const size_t i : order) out.push_back(boost::json::object{{"label", labels[i]}, {"score", scores[i]}});
  return out;
}

}  // namespace holdfast::model
