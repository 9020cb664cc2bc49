#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::jinja {

struct WrapStyle {
  size_t width = 79;
  bool break_long_words = true;
  bool break_on_hyphens = true;
};

// One line broken as Python's textwrap.wrap does, tabs and white space kept as they are.
std::vector<std::string> wrapped(std::string_view line, const WrapStyle& style);

}  // namespace holdfast::jinja
