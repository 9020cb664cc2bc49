#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::token {

// Of the rules of UAX 29, in the order of the table.
enum class GraphemeClass : uint8_t {
  any,
  cr,
  control,
  extend,
  pictographic,
  conjunct_consonant,
  hangul_l,
  lf,
  hangul_lv,
  hangul_lvt,
  prepend,
  regional_indicator,
  spacing_mark,
  hangul_t,
  hangul_v,
  zwj,
};
GraphemeClass grapheme_class(char32_t code);
// End of the extended grapheme cluster (UAX 29, Unicode 17) that begins at `begin`; the text is valid UTF-8.
size_t grapheme_end(std::string_view text, size_t begin);

}  // namespace holdfast::token
