#pragma once

#include <string>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// str(value), which is also what a template puts out: nothing for an undefined value, "None", "True", "1.5".
Result<std::string> str_of(Runtime& runtime, const Value& value);
// repr(value): what lists and dicts show their items as.
Result<std::string> repr_of(Runtime& runtime, const Value& value);

std::string integer_text(Integer number, int base = 10);
// The shortest decimal that reads back equal, as Python writes floats: "1.0", "1e-05", "nan".
std::string float_text(double number);
std::string quoted(std::string_view text);  // repr of a str.

}  // namespace holdfast::jinja
