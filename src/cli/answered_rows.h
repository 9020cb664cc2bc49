#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/labelled_rows.h"
#include "measure/evaluation.h"
#include "model/text_model.h"

namespace holdfast::cli {

// What a classifier said to labelled rows, row by row.
struct AnsweredRows {
  std::vector<std::string> labels;          // Of the model, by class number.
  std::vector<measure::EvaluatedRow> rows;  // As many as were asked, in their order.

  const std::string& predicted(size_t row) const { return labels[static_cast<size_t>(rows[row].predicted)]; }
};

// Asks one row after the other, so that latencies are those of single calls. bad_request for a label that the
// model has no class for.
Result<AnsweredRows> answer_rows(const Clock& clock, const model::TextModel& model,
                                 const std::vector<LabelledRow>& rows);

}  // namespace holdfast::cli
