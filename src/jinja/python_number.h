#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "jinja/value.h"

namespace holdfast::jinja {

// int(text, base): white space around, a sign, underscores between digits, 0x and the like for base 16, 8, 2
// or 0.
std::optional<Integer> parse_integer(std::string_view text, int base);
// float(value) of numbers and text.
Result<double> to_real(const Value& value);
// round(value, digits): halves to even, an int stays one.
Result<Value> round_half_even(const Value& value, int digits);

}  // namespace holdfast::jinja
