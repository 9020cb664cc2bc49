#include "measure/answered_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace holdfast::measure {

RowAnswer answer_of(std::vector<LabelScore> logits, double milliseconds) {
  std::sort(logits.begin(), logits.end(),
            [](const LabelScore& a, const LabelScore& b) { return a.label < b.label; });
  const auto best = std::max_element(logits.begin(), logits.end(),
                                     [](const auto& a, const auto& b) { return a.score < b.score; });
  if (best == logits.end()) return {.predicted = {}, .milliseconds = milliseconds};
  double sum = 0;
  for (const LabelScore& one : logits) sum += std::exp(one.score - best->score);
  return {.predicted = best->label, .confidence = 1 / sum, .milliseconds = milliseconds};
}

Status check_labels(const std::vector<LabelledRow>& rows, const std::vector<std::string>& labels) {
  for (const LabelledRow& row : rows)
    if (std::find(labels.begin(), labels.end(), row.label) == labels.end())
      return fail(Reason::bad_request,
                  fmt::format("the model has no class '{}', which row {} carries", row.label, row.id));
  return Done{};
}

Result<AnsweredRows> number_answers(const std::vector<LabelledRow>& rows,
                                    const std::vector<RowAnswer>& answers, std::vector<std::string> labels) {
  CHECK(rows.size() == answers.size());
  if (labels.empty()) {
    labels = labels_of(rows);
    for (const RowAnswer& answer : answers) labels.push_back(answer.predicted);
  }
  std::sort(labels.begin(), labels.end());
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  TRY_DONE(check_labels(rows, labels));
  for (const RowAnswer& answer : answers)
    if (!std::binary_search(labels.begin(), labels.end(), answer.predicted))
      return fail(Reason::dependency_failed,
                  fmt::format("the model answered '{}', which is none of its classes", answer.predicted));
  const auto number_of = [&labels](const std::string& label) {
    return static_cast<int>(std::lower_bound(labels.begin(), labels.end(), label) - labels.begin());
  };
  AnsweredRows out;
  for (size_t i = 0; i < rows.size(); ++i)
    out.rows.push_back({.truth = number_of(rows[i].label),
                        .predicted = number_of(answers[i].predicted),
                        .confidence = answers[i].confidence,
                        .latency_milliseconds = answers[i].milliseconds,
                        .slices = rows[i].others});
  out.labels = std::move(labels);
  return out;
}

}  // namespace holdfast::measure
