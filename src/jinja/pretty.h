#pragma once

#include <string>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// Python's pprint.pformat(value) with its defaults: 80 characters a line, indented by one, dicts sorted by
// key; what fits a line stays in one, long texts are divided at white space.
Result<std::string> pretty_text(Runtime& runtime, const Value& value);

}  // namespace holdfast::jinja
