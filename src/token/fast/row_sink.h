#pragma once

#include "token/fast/row_room.h"
#include "token/fast/sinks.h"

namespace holdfast::token {

// Ids, offsets and words of byte-level words: ends are bytes of the word, offsets count code points; a token
// that holds a part of a character gets all of it.
class ByteRowSink {
 public:
  ByteRowSink(uint32_t first_code, int32_t first_word, Rows& out)
      : room_(out), code_(first_code), word_(first_word) {}

  bool word(const FoundWord& word, const PackedTokens& found, WordBatch& batch) {
    if (!found.is_packed()) [[unlikely]]
      return other_word(word, found, batch);
    constexpr uint64_t high_bits = 0x8080808080808080U;
    room_.need(PackedTokens::tokens_max);
    if (((word.key.low | (word.key.high << 8U >> 8U)) & high_bits) == 0) [[likely]] {
      room_.put_packed(found, code_, word_++);
      code_ += word.bytes;
      return true;
    }
    code_ += room_.put_packed_wide(word, found, code_, word_++);
    return true;
  }

  uint32_t code() const { return code_; }
  int32_t next_word() const { return word_; }
  void finish() { room_.finish(); }

 private:
  [[gnu::noinline]] bool other_word(const FoundWord& word, const PackedTokens& found, WordBatch& batch) {
    WordTokens tokens;
    if (!batch.tokens_of(word, found, tokens)) return false;
    room_.need(tokens.count);
    code_ += room_.put_wide(word, tokens, code_, word_++);
    return true;
  }

  RowRoom room_;
  uint32_t code_;
  int32_t word_;
};

}  // namespace holdfast::token
