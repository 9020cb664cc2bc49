#pragma once

#include <cstdint>
#include <vector>

#include "token/fast/large_pages.h"
#include "token/models/bpe.h"

namespace holdfast::token {

// Merges by their pair: a flat table of lines of 8 slots, pair and rank in one word, each line filled from
// its begin; what finds its line full is in the next one. Of an equal pair the last counts. Immutable; safe
// from any thread.
class PairTable {
 public:
  static constexpr uint32_t none = UINT32_MAX;
  static constexpr uint32_t id_bits = 20, rank_bits = 24;
  static constexpr size_t line_slots = 8;
  static constexpr uint32_t no_id = (1U << id_bits) - 1;  // Of no token.

  // False where ids or ranks are too large for a slot.
  static bool fits(const std::vector<Merge>& merges);
  explicit PairTable(const std::vector<Merge>& merges);

  uint32_t rank_of(uint32_t left, uint32_t right) const {
    const uint64_t pair = uint64_t{left} << id_bits | right;
    const uint64_t mixed = pair * 0x9E3779B97F4A7C15U;
    // Most pairs are none: a small table of bits says so without a look into the large one.
    if ((filter_.data()[mixed >> filter_shift_ >> 6U] >> (mixed >> filter_shift_ & 63U) & 1U) == 0)
      return none;
    return rank_in(lines_.data() + (mixed >> shift_) * line_slots, pair);
  }
  // The same without the table of bits, of a line that may be looked at many at a time.
  static uint64_t pair_of(uint32_t left, uint32_t right) { return uint64_t{left} << id_bits | right; }
  const uint64_t* line_of(uint64_t pair) const {
    return lines_.data() + (pair * 0x9E3779B97F4A7C15U >> shift_) * line_slots;
  }
  const uint64_t* empty_line() const { return lines_.data() + (mask_ + 1) * line_slots; }
  uint32_t rank_in(const uint64_t* line, uint64_t pair) const {
    for (size_t i = 0;; ++i) {
      if (i == line_slots) [[unlikely]] {
        line = next_line(line);
        i = 0;
      }
      if (line[i] >> rank_bits == pair) return static_cast<uint32_t>(line[i] & ((1U << rank_bits) - 1));
      if (line[i] == empty) return none;
    }
  }
  const uint64_t* next_line(const uint64_t* line) const {
    return line + line_slots == empty_line() ? lines_.data() : line + line_slots;
  }
  void prefetch(uint32_t left, uint32_t right) const {
    const uint64_t mixed = (uint64_t{left} << id_bits | right) * 0x9E3779B97F4A7C15U;
    __builtin_prefetch(filter_.data() + (mixed >> filter_shift_ >> 6U));
    __builtin_prefetch(lines_.data() + (mixed >> shift_) * line_slots);
  }
  static constexpr uint64_t empty = UINT64_MAX;

  uint32_t result_of(uint32_t rank) const { return results_.data()[rank]; }

 private:
  LargeVector<uint64_t> lines_;  // And one that stays empty.
  LargeVector<uint64_t> filter_;
  std::vector<uint32_t> results_;
  uint64_t mask_ = 0;  // Of lines.
  unsigned shift_ = 0, filter_shift_ = 0;
};

}  // namespace holdfast::token
