#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::govern {

// What a classifier said about one input.
struct Prediction {
  std::string label;
  double score = 0;
};

// The best label of each input, from an answer as the task API and TEI's /predict write it: a list of
// {"label", "score"} for one input, or a list of such lists; {"labels", "scores"} of zero-shot tasks. Empty
// for an answer that is no classification. At most 1,000.
std::vector<Prediction> predictions_of(std::string_view answer);

// The text of input number `item` of a request's body: "inputs" or "input", a text or a list of texts.
// entry_not_found where there is none.
Result<std::string> input_item(std::string_view body, int64_t item);

}  // namespace holdfast::govern
