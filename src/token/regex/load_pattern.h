#pragma once

#include <boost/json/fwd.hpp>

#include "token/regex/regex.h"

namespace holdfast::token {

// The `pattern` of a Replace or Split: {"String": text} or {"Regex": pattern}.
Result<std::shared_ptr<const Regex>> load_pattern(const boost::json::object& json);

}  // namespace holdfast::token
