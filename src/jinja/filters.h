#pragma once

#include <string_view>

#include "jinja/runtime.h"

namespace holdfast::jinja {

using Filter = Result<Value> (*)(Runtime&, const Value& value, Arguments);

// jinja2's filters by name, `tojson` as transformers replaces it; nullptr for an unknown one. The three
// tables stand in files of their own.
Filter find_filter(std::string_view name);
Filter find_text_filter(std::string_view name);
Filter find_list_filter(std::string_view name);
Filter find_lazy_filter(std::string_view name);

}  // namespace holdfast::jinja
