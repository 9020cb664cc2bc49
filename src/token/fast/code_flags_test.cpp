#include "token/fast/code_flags.h"

#include <gtest/gtest.h>

#include "token/unicode/properties.h"

namespace holdfast::token {
namespace {

TEST(CodeFlags, SayOfEachCodePointWhatItsPropertiesSay) {
  const uint8_t* const flags = code_flags();
  for (char32_t code = 0; code < 0x110000; ++code) {
    const Category category = category_of(code);
    unsigned wanted = 0;
    if (is_in(code, letter_categories)) wanted |= flag_letter;
    if (is_in(code, mark_categories)) wanted |= flag_mark;
    if (is_in(code, number_categories)) wanted |= flag_number;
    if (is_white_space(code)) wanted |= flag_space;
    if (category == Category::uppercase_letter || category == Category::titlecase_letter)
      wanted |= flag_upper;
    if (category == Category::lowercase_letter) wanted |= flag_lower;
    if (is_in(code, punctuation_categories | symbol_categories)) wanted |= flag_symbol;
    if (code == '\r' || code == '\n') wanted |= flag_line;
    ASSERT_EQ(flags[code], wanted) << std::hex << static_cast<uint32_t>(code);
  }
}

}  // namespace
}  // namespace holdfast::token
