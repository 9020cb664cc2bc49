#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace holdfast::jinja {

// datetime.strftime in the C locale, of a moment without a zone: %z and %Z give nothing, %f microseconds.
Result<std::string> format_moment(WallTime moment, std::string_view format);

}  // namespace holdfast::jinja
