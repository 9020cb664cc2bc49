#include "token/fast/code_map.h"

#include <algorithm>

#include "token/unicode/graphemes.h"
#include "token/unicode/properties.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {
namespace {

// Code points that join others like them into short clusters, whatever is between them and white space. The
// letters of flags do too, but two of them are no short cluster: each is what it is alone.
bool joins_neighbours(uint32_t code, std::string_view character) {
  const bool jamo = (code >= 0x1100 && code <= 0x11FF) || (code >= 0xA960 && code <= 0xA97F) ||
                    (code >= 0xD7B0 && code <= 0xD7FF);
  const std::string before_letter = std::string(character) + "a";
  return jamo || grapheme_end(before_letter, 0) == before_letter.size();
}

}  // namespace

CodeMap::State CodeMap::make(uint32_t code, std::string& out) const {
  std::string character;
  append_utf8(character, code);
  const auto made = normalizer_->normalize_one(code);
  if (!made) return State::other;
  for (const char32_t one : *made) {
    if (is_white_space(one)) {
      if (works_ == Works::by_code_point && is_cjk_ideograph(code)) continue;
      return State::other;
    }
    if (works_ == Works::by_code_point && combining_class(one) != 0) return State::other;
    append_utf8(out, one);
  }
  if (out.size() > bytes_max) return State::other;
  if (works_ == Works::by_code_point) return State::simple;
  if (joins_neighbours(code, character)) return State::other;
  const std::string after_letter = "a" + character;
  return grapheme_end(after_letter, 0) == after_letter.size() ? State::mark : State::simple;
}

const CodeMap::Entry& CodeMap::ask(uint32_t code) const {
  std::string text;
  const State state = make(code, text);
  const std::lock_guard lock(mutex_);
  std::atomic<Page*>& known = pages_[code >> 8U];
  Page* page = known.load(std::memory_order_relaxed);
  if (page == nullptr) {
    owned_.push_back(std::make_unique<Page>());
    page = owned_.back().get();
    known.store(page, std::memory_order_release);
  }
  Entry& entry = (*page)[code & 255U];
  if (entry.state.load(std::memory_order_relaxed) != State::unasked) return entry;  // Another was faster.
  if (state != State::other) {
    std::copy(text.begin(), text.end(), entry.text.begin());
    entry.bytes = static_cast<uint8_t>(text.size());
  }
  entry.state.store(state, std::memory_order_release);
  return entry;
}

}  // namespace holdfast::token
