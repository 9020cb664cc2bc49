#pragma once

#include <boost/json/fwd.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::model {

// How a classification's logits become scores.
enum class Squash : uint8_t { none, sigmoid, softmax };

// `function_to_apply` of parameters; else what config.json's problem_type and the number of labels say, as
// transformers' pipelines do. bad_request for another name.
Result<Squash> read_squash(const boost::json::object& parameters, std::string_view problem_type,
                           size_t labels);

// [{label, score}], the highest first, `top` of them; equal scores stay in the order of labels.
boost::json::array scored_labels(const std::vector<std::string>& labels, std::span<const float> logits,
                                 Squash squash, size_t top);

}  // namespace holdfast::model
