#pragma once

#include <array>

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
        small_wide(word, *known);
        return true;
      }
    return other_word(word);
  }

  uint32_t code() const { return code_; }
  int32_t next_word() const { return word_; }
  void finish() { room_.finish(); }

 private:
  // Bits set among the lowest 16.
  static uint32_t count_bits(uint32_t bits) {
    bits = (bits & 0x5555U) + (bits >> 1U & 0x5555U);
    bits = (bits & 0x3333U) + (bits >> 2U & 0x3333U);
    bits = (bits + (bits >> 4U)) & 0x0F0FU;
    return (bits + (bits >> 8U)) & 31U;
  }

  void small_wide(const FoundWord& word, const WordCache::Small& known) {
    const __m128i bytes =
        _mm_set_epi64x(static_cast<int64_t>(word.key.high), static_cast<int64_t>(word.key.low));
    // Bytes 0x80 to 0xBF are the ones below -64: characters begin with others.
    const auto inner = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmplt_epi8(bytes, _mm_set1_epi8(-64))));
    const uint32_t starts = ~inner & ((1U << word.bytes) - 1);
    uint32_t begin = 0;
    for (uint32_t i = 0; i < known.count(); ++i) {
      const uint32_t end = known.end(i);
      const uint32_t first = count_bits(starts & ((2U << begin) - 1)) - 1;
      room_.put(known.tokens[i] & WordCache::Small::id_mask,
                {code_ + first, code_ + count_bits(starts & ((1U << end) - 1))}, word_);
      begin = end;
    }
    ++word_;
    code_ += count_bits(starts);
  }

  [[gnu::noinline]] bool other_word(const FoundWord& word) {
    WordTokens tokens;
    if (!tokens_of(word, model_, workspace_, tokens)) return false;
    room_.need(tokens.count);
    size_t at = 0;
    uint32_t code = code_;  // Code points that begin before `at`.
    for (uint32_t i = 0; i < tokens.count; ++i) {
      const uint32_t end = tokens.ends != nullptr ? tokens.ends[i] : workspace_.ends[i];
      const bool inside = (word.at[at] & 0xC0U) == 0x80U;
      const uint32_t begin_code = inside ? code - 1 : code;
      for (; at < end; ++at) code += (word.at[at] & 0xC0U) != 0x80U ? 1 : 0;
      room_.put(tokens.ids[i], {begin_code, code}, word_);
    }
    for (; at < word.bytes; ++at) code += (word.at[at] & 0xC0U) != 0x80U ? 1 : 0;
    ++word_;
    code_ = code;
    return true;
  }

  const WordModel& model_;
  Workspace& workspace_;
  RowRoom room_;
  uint32_t code_;
  int32_t word_;
};

}  // namespace holdfast::token
