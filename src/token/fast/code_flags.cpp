#include "token/fast/code_flags.h"

#include <vector>

#include "token/unicode/properties.h"

namespace holdfast::token {

const uint8_t* code_flags() {
  static const std::vector<uint8_t> table = [] {
    std::vector<uint8_t> out(0x110000);
    for (char32_t code = 0; code < out.size(); ++code) {
      uint8_t flags = 0;
      if (is_in(code, letter_categories)) flags |= flag_letter;
      if (is_in(code, mark_categories)) flags |= flag_mark;
      if (is_in(code, number_categories)) flags |= flag_number;
      if (is_white_space(code)) flags |= flag_space;
      const Category category = category_of(code);
      if (category == Category::uppercase_letter || category == Category::titlecase_letter)
        flags |= flag_upper;
      if (category == Category::lowercase_letter) flags |= flag_lower;
      if (is_in(code, punctuation_categories | symbol_categories)) flags |= flag_symbol;
      if (code == '\r' || code == '\n') flags |= flag_line;
      out[code] = flags;
    }
    return out;
  }();
  return table.data();
}

}  // namespace holdfast::token
