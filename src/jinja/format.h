#pragma once

#include <string_view>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// pattern % values, as Python formats: a tuple gives several values, a dict named ones.
Result<Value> format_percent(Runtime& runtime, std::string_view pattern, const Value& values);
// pattern.format(*positional, **named) with attributes, items and nested fields.
Result<Value> format_braces(Runtime& runtime, std::string_view pattern, const Arguments& arguments);
// format(value, spec).
Result<std::string> format_value(Runtime& runtime, const Value& value, std::string_view spec);

}  // namespace holdfast::jinja
