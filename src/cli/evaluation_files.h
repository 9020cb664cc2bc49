#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "measure/evaluation.h"

namespace holdfast::cli {

// {"criteria": [{"metric": "accuracy", "slice": "kind=normal", "at_least": 0.8, "margin": 0.03, "rows_min":
// 30}]}; at_most for what should be small. Unknown keys are errors.
Result<std::vector<measure::Criterion>> parse_criteria(std::string_view text);

// What is kept of an evaluation. The digest is of the canonical JSON of all other keys: whoever has the file
// can check it.
boost::json::object evaluation_json(const measure::Evaluation& evaluation);
std::string with_digest(boost::json::object result);
// data_corrupt when a result does not match its own digest.
Status check_digest(std::string_view result);

}  // namespace holdfast::cli
