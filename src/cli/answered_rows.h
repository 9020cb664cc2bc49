#pragma once

#include <vector>

#include "base/clock.h"
#include "measure/answered_rows.h"
#include "model/text_model.h"

namespace holdfast::cli {

// Asks one row after the other, so that latencies are those of single calls. bad_request for a label that the
// model has no class for.
Result<measure::AnsweredRows> answer_rows(const Clock& clock, const model::TextModel& model,
                                          const std::vector<measure::LabelledRow>& rows);

}  // namespace holdfast::cli
