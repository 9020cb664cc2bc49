#pragma once

#include <string_view>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// What stands after `is`: jinja2's tests by name, nullptr for an unknown one.
using Predicate = Result<bool> (*)(Runtime&, const Value& value, Arguments);
Predicate find_predicate(std::string_view name);

}  // namespace holdfast::jinja
