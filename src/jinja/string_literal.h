#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::jinja {

// What stands between the quotes of a string literal, its escapes undone as Python's unicode-escape does.
// An unknown escape stays as it is. Lone surrogates and \N{...} are errors.
Result<std::string> unescaped(std::string_view inside);

}  // namespace holdfast::jinja
