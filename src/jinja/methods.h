#pragma once

#include <optional>
#include <string_view>

#include "jinja/runtime.h"

namespace holdfast::jinja {

using Method = Result<Value> (*)(Runtime&, const Value& self, Arguments);

// The method of Python's type that the sandbox lets a template call; nullptr for none.
Method find_method(Kind kind, std::string_view name);
Method find_text_method(std::string_view name);
// Attributes that are no methods, such as range.start.
std::optional<Value> plain_attribute(const Value& value, std::string_view name);

}  // namespace holdfast::jinja
