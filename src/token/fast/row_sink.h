#pragma once

#include "token/fast/row_room.h"
#include "token/fast/sinks.h"

namespace holdfast::token {

// Ids, offsets and words of byte-level words: ends are bytes of the word, offsets count code points; a token
// that holds a part of a character gets all of it.
class ByteRowSink {
 public:
  ByteRowSink(const WordModel& model, Workspace& workspace, uint32_t first_code, int32_t first_word,
              Rows& out)
      : model_(model), workspace_(workspace), room_(out), code_(first_code), word_(first_word) {}

  bool word(const FoundWord& word) {
    if (word.bytes <= WordCache::small_bytes) [[likely]]
      if (const WordCache::Small* const known = workspace_.cache.find_small(word.key)) [[likely]] {
        constexpr uint64_t high_bits = 0x8080808080808080U;
        room_.need(WordCache::small_tokens);
        if (((word.key.low | (word.key.high << 8U >> 8U)) & high_bits) == 0) [[likely]] {
          room_.put_small(*known, code_, word_++);
          code_ += word.bytes;
          return true;
        }
        code_ += room_.put_small_wide(word, *known, code_, word_++);
        return true;
      }
    return other_word(word);
  }

  uint32_t code() const { return code_; }
  int32_t next_word() const { return word_; }
  void finish() { room_.finish(); }

 private:
  [[gnu::noinline]] bool other_word(const FoundWord& word) {
    WordTokens tokens;
    if (!tokens_of(word, model_, workspace_, tokens)) return false;
    room_.need(tokens.count);
    code_ += room_.put_wide(word, tokens, workspace_, code_, word_++);
    return true;
  }

  const WordModel& model_;
  Workspace& workspace_;
  RowRoom room_;
  uint32_t code_;
  int32_t word_;
};

}  // namespace holdfast::token
