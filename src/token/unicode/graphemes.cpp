#include "token/unicode/graphemes.h"

#include <algorithm>
#include <vector>

#include "token/unicode/tables.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
using enum GraphemeClass;

GraphemeClass grapheme_class(char32_t code) {
  if (code >= 0x20 && code < 0x7F) return any;
  if (code >= 0xAC00 && code <= 0xD7A3) return (code - 0xAC00) % 28 == 0 ? hangul_lv : hangul_lvt;
  const auto after =
      std::upper_bound(tables::grapheme_runs.begin(), tables::grapheme_runs.end(), (code << 8U) | 0xFFU);
  return static_cast<GraphemeClass>(*std::prev(after) & 0xFFU);
}

namespace {

bool is_conjunct_linker(char32_t code) {
  constexpr char32_t linkers[] = {0x94D,   0x9CD,   0xACD,   0xB4D,   0xC4D,   0xD4D,  0x1039,
                                  0x17D2,  0x1A60,  0x1B44,  0x1BAB,  0xA9C0,  0xAAF6, 0x10A3F,
                                  0x11133, 0x113D0, 0x1193E, 0x11A47, 0x11A99, 0x11F42};
  return std::find(std::begin(linkers), std::end(linkers), code) != std::end(linkers);
}

bool is_conjunct_extend(char32_t code) {
  const auto after =
      std::upper_bound(tables::conjunct_extend.begin(), tables::conjunct_extend.end(), code,
                       [](char32_t wanted, const CodeRange& range) { return wanted < range.first; });
  return after != tables::conjunct_extend.begin() && code <= std::prev(after)->last;
}

// What the rules that look further back need to know of the text before a boundary.
struct Before {
  GraphemeClass last = any;
  size_t regional_indicators = 0;
  bool pictographic_sequence = false;  // Pictographic, then Extend*.
  bool pictographic_zwj = false;       // The same, then a ZWJ.
  bool conjunct = false;               // A consonant, then links and extends.
  bool linked = false;                 // ... with at least one link.

  void push(char32_t code, GraphemeClass kind) {
    pictographic_zwj = kind == zwj && pictographic_sequence;
    pictographic_sequence = kind == pictographic || (kind == extend && pictographic_sequence);
    regional_indicators = kind == regional_indicator ? regional_indicators + 1 : 0;
    if (kind == conjunct_consonant) {
      conjunct = true;
      linked = false;
    } else if (is_conjunct_linker(code)) {
      linked = conjunct;
    } else if (!is_conjunct_extend(code)) {
      conjunct = linked = false;
    }
    last = kind;
  }

  bool joins(GraphemeClass next) const {
    if (last == cr && next == lf) return true;
    if (last == control || last == cr || last == lf || next == control || next == cr || next == lf)
      return false;
    if (last == hangul_l && (next == hangul_l || next == hangul_v || next == hangul_lv || next == hangul_lvt))
      return true;
    if ((last == hangul_lv || last == hangul_v) && (next == hangul_v || next == hangul_t)) return true;
    if ((last == hangul_lvt || last == hangul_t) && next == hangul_t) return true;
    if (next == extend || next == zwj || next == spacing_mark || last == prepend) return true;
    if (next == conjunct_consonant) return linked;
    if (last == zwj && next == pictographic) return pictographic_zwj;
    return last == regional_indicator && next == regional_indicator && regional_indicators % 2 == 1;
  }
};

}  // namespace

size_t grapheme_end(std::string_view text, size_t begin) {
  Before before;
  size_t at = begin;
  while (at < text.size()) {
    const CodePoint point = code_point_at(text, at);
    const GraphemeClass kind = grapheme_class(point.value);
    if (at > begin && !before.joins(kind)) break;
    before.push(point.value, kind);
    at += point.bytes;
  }
  return at;
}

}  // namespace holdfast::token
