#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "measure/evaluation.h"
#include "measure/labelled_rows.h"

namespace holdfast::measure {

struct LabelScore {
  std::string label;
  double score = 0;
};

// What a classifier said to one row.
struct RowAnswer {
  std::string predicted;
  double confidence = 0;  // Of the predicted class.
  double milliseconds = 0;
};

// From the logits of all classes, in whatever order they come: the label with the greatest, of equals the
// first in the alphabet, and its softmax.
RowAnswer answer_of(std::vector<LabelScore> logits, double milliseconds);

// What a classifier said to labelled rows, row by row.
struct AnsweredRows {
  std::vector<std::string> labels;  // Sorted: a class's number is its place.
  std::vector<EvaluatedRow> rows;   // As many as were asked, in their order.

  const std::string& predicted(size_t row) const { return labels[static_cast<size_t>(rows[row].predicted)]; }
};

// bad_request for a row whose label is none of the model's.
Status check_labels(const std::vector<LabelledRow>& rows, const std::vector<std::string>& labels);
// Gives the classes numbers. `labels` are all that the model knows; empty: those that occur. There are as
// many answers as rows; dependency_failed for one that is none of `labels`.
Result<AnsweredRows> number_answers(const std::vector<LabelledRow>& rows,
                                    const std::vector<RowAnswer>& answers, std::vector<std::string> labels);

}  // namespace holdfast::measure
