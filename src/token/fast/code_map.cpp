#include "token/fast/code_map.h"

#include "token/unicode/graphemes.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// Code points that join others like them, whatever is between them and white space.
bool joins_neighbours(uint32_t code, std::string_view character) {
  const bool jamo = (code >= 0x1100 && code <= 0x11FF) || (code >= 0xA960 && code <= 0xA97F) ||
                    (code >= 0xD7B0 && code <= 0xD7FF);
  const bool flag = code >= 0x1F1E6 && code <= 0x1F1FF;
  const std::string before_letter = std::string(character) + "a";
  return jamo || flag || grapheme_end(before_letter, 0) == before_letter.size();
}

}  // namespace

void CodeMap::ask(uint32_t code, const Normalizer& normalizer, Works works, Entry& out) {
  out.state = State::other;
  std::string character;
  append_utf8(character, code);
  NormalizedText text(character);
  if (!normalizer.normalize(text).ok() || text.is_lost()) return;
  std::string made;
  for (const char32_t one : text.codes()) {
    if (is_white_space(one)) {
      if (works == Works::by_code_point && is_cjk_ideograph(code)) continue;
      return;
    }
    if (works == Works::by_code_point && combining_class(one) != 0) return;
    append_utf8(made, one);
  }
  if (made.size() > bytes_max) return;
  State state = State::simple;
  if (works == Works::by_cluster) {
    if (joins_neighbours(code, character)) return;
    const std::string after_letter = "a" + character;
    if (grapheme_end(after_letter, 0) == after_letter.size()) state = State::mark;
  }
  std::copy(made.begin(), made.end(), out.text.begin());
  out.bytes = static_cast<uint8_t>(made.size());
  out.state = state;
}

}  // namespace holdfast::token
