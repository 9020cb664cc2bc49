#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::scan {

// A column as a table of one column, a value a line: signs that would end a line or a column are other ones
// while it is looked at.
inline constexpr std::array<std::pair<char, char>, 3> column_signs{
    {{'\n', '\x1e'}, {'\r', '\x1d'}, {'\t', '\x1f'}}};

inline std::string as_column_line(std::string_view value) {
  std::string out(value);
  for (const auto& [from, to] : column_signs) std::ranges::replace(out, from, to);
  return out;
}
inline std::string from_column_line(std::string_view line) {
  std::string out(line);
  for (const auto& [to, from] : column_signs) std::ranges::replace(out, from, to);
  return out;
}

}  // namespace holdfast::scan
