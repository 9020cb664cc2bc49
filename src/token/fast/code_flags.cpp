#include "token/fast/code_flags.h"

#include <array>
#include <vector>

#include "token/unicode/properties.h"

namespace holdfast::token {

const uint8_t* code_flags() {
  static const std::vector<uint8_t> table = [] {
    std::array<uint8_t, category_count> of_category{};
    for (size_t i = 0; i < category_count; ++i) {
      const uint32_t one = 1U << i;
      uint8_t& flags = of_category[i];
      if ((one & letter_categories) != 0) flags |= flag_letter;
      if ((one & mark_categories) != 0) flags |= flag_mark;
      if ((one & number_categories) != 0) flags |= flag_number;
      if ((one & (punctuation_categories | symbol_categories)) != 0) flags |= flag_symbol;
      const auto category = static_cast<Category>(i);
      if (category == Category::uppercase_letter || category == Category::titlecase_letter)
        flags |= flag_upper;
      if (category == Category::lowercase_letter) flags |= flag_lower;
    }
    std::vector<uint8_t> out(0x110000);
    const uint8_t* const properties = code_properties();
    for (size_t code = 0; code < out.size(); ++code)
      out[code] = of_category[properties[code] & category_bits];
    constexpr char32_t after_last_space = 0x3001;
    for (char32_t code = 0; code < after_last_space; ++code)
      if (is_white_space(code)) out[code] |= flag_space;
    out['\r'] |= flag_line;
    out['\n'] |= flag_line;
    return out;
  }();
  return table.data();
}

}  // namespace holdfast::token
