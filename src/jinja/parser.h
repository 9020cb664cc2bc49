#pragma once

#include <string_view>

#include "base/result.h"
#include "jinja/tree.h"

namespace holdfast::jinja {

// The statements of a template. An error's line is put in `error_line`.
Result<Body> parse_template(std::string_view source, uint32_t& error_line);

}  // namespace holdfast::jinja
