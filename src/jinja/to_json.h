#pragma once

#include <optional>
#include <string>

#include "jinja/runtime.h"

namespace holdfast::jinja {

// How json.dumps writes.
struct JsonStyle {
  bool ascii_only = false;
  bool sort_keys = false;
  std::optional<std::string> indent;  // What one level is indented by; none is one line.
  std::string item_separator = ", ", key_separator = ": ";
};

Result<std::string> to_json(Runtime& runtime, const Value& value, const JsonStyle& style);

}  // namespace holdfast::jinja
