#pragma once

#include <boost/json/fwd.hpp>

#include "base/result.h"
#include "token/formats/tokenizer_config.h"

namespace holdfast::token {

// Whether a repository's tokenizer is CANINE's, which has no files: tokens are code points.
bool is_of_code_points(const TokenizerConfig& config);
// The tokenizer.json that it means.
Result<boost::json::object> document_of_code_points(const TokenizerConfig& config);

}  // namespace holdfast::token
