#pragma once

#include <string_view>
#include <vector>

#include "jinja/runtime.h"

namespace holdfast::jinja {

enum class From : uint8_t { left, right };

// str.split and rsplit: at most `most` cuts, counted from the side given.
std::vector<std::string_view> split_by(std::string_view text, std::string_view separator, size_t most,
                                       From from);
std::vector<std::string_view> split_by_space(std::string_view text, size_t most, From from);

// str.replace; a negative `most` means all. An empty `old` stands before every character and at the end.
Result<std::string> replaced(Runtime& runtime, std::string_view text, std::string_view old,
                             std::string_view fresh, Integer most);

enum class Justify : uint8_t { left, right, middle };
// str.ljust, rjust, center.
Result<std::string> justified(Runtime& runtime, std::string_view text, Integer width, std::string_view fill,
                              Justify where);

}  // namespace holdfast::jinja
