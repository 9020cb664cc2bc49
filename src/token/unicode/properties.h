#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::token {

// General categories, in the order of the table.
enum class Category : uint8_t {
  unassigned,
  uppercase_letter,
  lowercase_letter,
  titlecase_letter,
  modifier_letter,
  other_letter,
  nonspacing_mark,
  spacing_mark,
  enclosing_mark,
  decimal_number,
  letter_number,
  other_number,
  connector_punctuation,
  dash_punctuation,
  open_punctuation,
  close_punctuation,
  initial_punctuation,
  final_punctuation,
  other_punctuation,
  math_symbol,
  currency_symbol,
  modifier_symbol,
  other_symbol,
  space_separator,
  line_separator,
  paragraph_separator,
  control,
  format,
  private_use,
};
constexpr size_t category_count = 29;

// One byte a code point: the category, and whether it is alphabetic, upper and lower case. Built on first
// use, then constant; any thread.
constexpr uint8_t category_bits = 0x1F, alphabetic_bit = 0x20, upper_bit = 0x40, lower_bit = 0x80;
const uint8_t* code_properties();  // 0x110000 of them.

inline Category category_of(char32_t code) {
  return static_cast<Category>(code_properties()[code] & category_bits);
}
constexpr uint32_t category_mask(Category first, Category last) {
  return (2U << static_cast<unsigned>(last)) - (1U << static_cast<unsigned>(first));
}
constexpr uint32_t letter_categories = category_mask(Category::uppercase_letter, Category::other_letter);
constexpr uint32_t mark_categories = category_mask(Category::nonspacing_mark, Category::enclosing_mark);
constexpr uint32_t number_categories = category_mask(Category::decimal_number, Category::other_number);
constexpr uint32_t punctuation_categories =
    category_mask(Category::connector_punctuation, Category::other_punctuation);
constexpr uint32_t symbol_categories = category_mask(Category::math_symbol, Category::other_symbol);
inline bool is_in(char32_t code, uint32_t categories) {
  return (categories >> (code_properties()[code] & category_bits) & 1U) != 0;
}

bool is_white_space(char32_t code);  // Property White_Space.
bool is_word(char32_t code);         // \w of the Rust regular expressions.
bool is_numeric(char32_t code);      // char::is_numeric of Rust.
bool is_cleaned_away(char32_t code);
bool is_bert_punctuation(char32_t code);
bool is_nonspacing_mark(char32_t code);
bool is_combining_mark(char32_t code);  // What StripAccents drops.
bool is_cjk_ideograph(char32_t code);   // The blocks BERT puts spaces around.
uint8_t script_of(char32_t code);       // 0: any; kana counts as Han.

struct Lowered {
  std::array<char32_t, 2> codes{};
  size_t count = 1;
};
Lowered to_lower(char32_t code);  // Without context: a final sigma is not known.

enum class Decomposition : uint8_t { canonical, compatibility };

int combining_class(char32_t code);
// Whether it may have a decomposition of either kind: quickly no of nearly all. Syllables of Hangul have one.
bool may_decompose(char32_t code);
// The full decomposition appended to `out`, not yet ordered.
void append_decomposed(std::vector<char32_t>& out, char32_t code, Decomposition kind);
char32_t compose(char32_t first, char32_t second);  // 0 where there is no such character.

}  // namespace holdfast::token
