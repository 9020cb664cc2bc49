#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "token/fast/large_pages.h"

namespace holdfast::token {

// Tokens of one word: ids and where each ends, in units of the word model (bytes or code points of the word).
// The first may end at 0, where others follow: it is only what stands in front of the word.
struct WordTokens {
  const uint32_t* ids = nullptr;
  const uint32_t* ends = nullptr;
  const uint8_t* short_ends = nullptr;  // Instead of `ends`.
  uint32_t count = 0;

  uint32_t end(uint32_t index) const { return ends != nullptr ? ends[index] : short_ends[index]; }
};

// Tokens of words one after the other; what is new overwrites what is oldest. Of one thread at a time.
class TokenRing {
 public:
  static constexpr uint32_t tokens_max = 127;
  static constexpr uint8_t odd_end = 255;  // Of ends that are larger than a byte.

  // Returns the position. `word` may be empty, else read() tells whether it is that word. `tokens` are at
  // most tokens_max, the word at most as many bytes.
  uint64_t put(const WordTokens& tokens, std::string_view word);

  // False where it is overwritten, or soon may be: so many records may be put before it is read.
  static constexpr size_t records_ahead = 516;
  bool begin_reading(uint64_t position) const {
    if (written_ + records_ahead * record_slots_max > position + slots) return false;
    const uint32_t* const at = &slots_[position % slots];
    __builtin_prefetch(at);
    __builtin_prefetch(at + 16);
    return true;
  }
  WordTokens read(uint64_t position, uint32_t count) const;
  bool is_of(uint64_t position, uint32_t count, std::string_view word) const;

 private:
  static constexpr uint64_t slots = uint64_t{1} << 20U;
  // Ids; a byte for each end; the word.
  static constexpr size_t record_slots_max = tokens_max + 2 * ((tokens_max + 3) / 4);

  ZeroedTable<uint32_t> slots_{slots};
  uint64_t written_ = 0;  // Slots, since the beginning.
};

}  // namespace holdfast::token
