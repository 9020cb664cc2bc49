#pragma once

#include <algorithm>
#include <optional>

#include "token/fast/raw_words.h"
#include "token/fast/row_room.h"
#include "token/fast/word_batch.h"
#include "token/unicode/utf8.h"

namespace holdfast::token {

// Ids, offsets and words of raw words: what is beside them is skipped, and odd ones are asked for anew.
class RowTargetSink {
 public:
  RowTargetSink(const RawWords& words, Workspace& workspace, uint32_t first_code, int32_t first_word,
                bool one_word, Rows& out)
      : words_(words),
        workspace_(workspace),
        room_(out),
        code_(first_code),
        word_(first_word),
        one_word_(one_word),
        own_text_(out.own_texts == OwnTexts::keep ? words.model().unknown_of_own_text() : std::nullopt) {}

  bool word(const FoundWord& word, const PackedTokens& found, WordBatch& batch) {
    code_ += word.skipped;
    if (word.place() == WordPlace::goes_on) --word_;
    const uint32_t codes = codes_of(word);
    if (!found.is_packed()) [[unlikely]]
      return other_word(word, codes, found, batch);
    if (found.is_odd() || (own_text_ && found.has_id(*own_text_))) [[unlikely]]
      return odd_word(word, codes);
    room_.need(PackedTokens::tokens_max);
    if (codes != word.bytes && words_.ends_are_bytes())
      room_.put_packed_wide(word, found, code_, word_);
    else
      room_.put_packed(found, code_, word_);
    code_ += codes;
    if (!one_word_) ++word_;
    return true;
  }
  void skip(uint32_t codes) { code_ += codes; }
  void finish() { room_.finish(); }
  RowRoom& room() { return room_; }
  uint32_t code() const { return code_; }
  int32_t next_word() const { return word_; }

 private:
  static uint32_t codes_of(const FoundWord& word) {
    constexpr uint64_t high_bits = 0x8080808080808080U;
    if (word.bytes <= WordCache::small_bytes &&
        ((word.key.low | (word.key.high << 8U >> 8U)) & high_bits) == 0)
      return word.bytes;
    return static_cast<uint32_t>(count_code_points(word.text()));
  }

  [[gnu::noinline]] bool other_word(const FoundWord& word, uint32_t codes, const PackedTokens& found,
                                    WordBatch& batch) {
    WordTokens tokens;
    if (!batch.tokens_of(word, found, tokens)) return false;
    const uint32_t last = words_.ends_are_bytes() ? word.bytes : codes;
    if (tokens.count == 0 || tokens.end(tokens.count - 1) != last || has_own_text(tokens))
      return odd_word(word, codes);
    room_.need(tokens.count);
    if (words_.ends_are_bytes()) {
      code_ += room_.put_wide(word, tokens, code_, word_);
      if (!one_word_) ++word_;
      return true;
    }
    uint32_t begin = code_;
    for (uint32_t i = 0; i < tokens.count; ++i) {
      const uint32_t end = code_ + tokens.end(i);
      room_.put(tokens.ids[i], {begin, std::max(end, begin + 1)}, word_);
      begin = end;
    }
    if (!one_word_) ++word_;
    code_ += codes;
    return true;
  }

  bool has_own_text(const WordTokens& tokens) const {
    return own_text_ &&
           std::find(tokens.ids, tokens.ids + tokens.count, *own_text_) != tokens.ids + tokens.count;
  }

  bool odd_word(const FoundWord& word, uint32_t codes) {
    if (word.place() == WordPlace::goes_on) return false;
    if (!words_.rows(word.text(), code_, word_, workspace_, room_)) return false;
    code_ += codes;
    return true;
  }

  const RawWords& words_;
  Workspace& workspace_;
  RowRoom room_;
  uint32_t code_;
  int32_t word_;
  bool one_word_;
  std::optional<uint32_t> own_text_;  // What has it is asked for anew.
};

}  // namespace holdfast::token
