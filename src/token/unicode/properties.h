#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace holdfast::token {

bool is_white_space(char32_t code);  // Property White_Space.
bool is_word(char32_t code);         // \w of a Unicode regular expression.
bool is_cleaned_away(char32_t code);
bool is_bert_punctuation(char32_t code);
bool is_nonspacing_mark(char32_t code);
bool is_cjk_ideograph(char32_t code);  // The blocks BERT puts spaces around.

struct Lowered {
  std::array<char32_t, 2> codes{};
  size_t count = 1;
};
Lowered to_lower(char32_t code);  // Without context: a final sigma is not known.

int combining_class(char32_t code);
// The canonical decomposition appended to `out`, not yet ordered.
void append_canonical(std::vector<char32_t>& out, char32_t code);

}  // namespace holdfast::token
