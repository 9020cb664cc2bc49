#include "token/fast/code_kinds.h"

#include "token/unicode/graphemes.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {

CodeKinds::CodeKinds(const Normalizer& normalizer, Marks marks, Alone alone)
    : normalizer_(normalizer), marks_(marks), alone_(alone), kinds_(new std::atomic<uint8_t>[0x110000]{}) {}

CodeKind CodeKinds::ask(uint32_t code) const {
  const CodeKind kind = classify(code);
  kinds_[code].store(static_cast<uint8_t>(kind), std::memory_order_relaxed);
  return kind;
}

CodeKind CodeKinds::classify(uint32_t code) const {
  constexpr char32_t meta = 0x2581;
  std::string character;
  append_utf8(character, code);
  const auto all = normalizer_.normalize_one(code);
  if (!all) return CodeKind::odd;
  size_t spaces = 0, singles = 0, others = 0;
  for (const char32_t made : *all) {
    if (is_white_space(made))
      ++spaces;
    else if (alone_ == Alone::punctuation_and_ideographs && is_bert_punctuation(made))
      ++singles;
    else if (alone_ == Alone::nothing && made == meta)
      return CodeKind::odd;
    else
      ++others;
  }
  if (alone_ == Alone::punctuation_and_ideographs) {
    if (is_cjk_ideograph(code) && spaces == 2)
      return others == 1 && singles == 0 ? CodeKind::alone : CodeKind::odd;
    if (singles == 1 && spaces + others == 0) return CodeKind::alone;
    if (singles > 0) return CodeKind::odd;
  }
  // What a charsmap deletes moves the origins of what follows.
  if (alone_ == Alone::nothing && spaces + others == 0) return CodeKind::odd;
  const std::string after_letter = "a" + character;
  const bool joins = marks_ == Marks::bound && grapheme_end(after_letter, 0) == after_letter.size();
  if (spaces > 0) return others > 0 ? CodeKind::odd : joins ? CodeKind::joiner : CodeKind::separator;
  if (marks_ == Marks::free || code < 0x80) return CodeKind::word;
  // What joins the character before it into one cluster, or the one after.
  const std::string after_space = " " + character, before_letter = character + "a";
  if (grapheme_end(before_letter, 0) == before_letter.size()) return CodeKind::odd;
  return grapheme_end(after_space, 0) == after_space.size() ? CodeKind::mark : CodeKind::word;
}

}  // namespace holdfast::token
