#pragma once

#include <string_view>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// pattern % values, as Python formats: a tuple gives several values, a dict named ones.
// Of a pattern that is Markup: Markup, what is put in is escaped. So it is with braces.
Result<Value> format_percent(Runtime& runtime, const Value& pattern, const Value& values);
// pattern.format(*positional, **named) with attributes, items and nested fields.
Result<Value> format_braces(Runtime& runtime, const Value& pattern, const Arguments& arguments);
// format(value, spec).
Result<std::string> format_value(Runtime& runtime, const Value& value, std::string_view spec);

}  // namespace holdfast::jinja
