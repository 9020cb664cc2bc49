#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "token/fast/large_pages.h"
#include "token/fast/pair_table.h"

namespace holdfast::token {

// For two neighbouring tokens: the rank by which they are merged, and the least one by which something else
// may take one of them first, which is a token that the other has become a part of. Those are rounded down to
// four digits of two, so that all of it is one word: a flat table of lines of 8 slots, each line filled from
// its begin; what finds its line full is in one of the next. Immutable; safe from any thread.
class PairRivals {
 public:
  static constexpr unsigned rank_bits = 19, code_bits = 8, away_bits = 2;
  static constexpr uint32_t no_rank = (1U << rank_bits) - 1;  // Of no merge; ranks are below.
  static constexpr size_t line_slots = 8;
  static constexpr uint64_t empty = UINT64_MAX;

  struct Found {
    uint32_t rank = no_rank;
    uint32_t of_right = no_rival;  // Of the right token: something that ends with the left one takes it.
    uint32_t of_left = no_rival;   // Of the left token: something that begins with the right one.
    uint32_t unused = 0;
  };
  static constexpr uint32_t no_rival = 1U << 24U;  // Above every rank.

  // The merges that make a token each, by rank; the only ones. Nothing where there are too many.
  static std::unique_ptr<PairRivals> make(std::span<const Merge> merges);

  static uint64_t mix(uint32_t left, uint32_t right) {
    return PairTable::pair_of(left, right) * 0x9E3779B97F4A7C15U & mixed_mask;
  }
  const uint64_t* line_of(uint64_t mixed) const {
    return slots_.data() + (mixed * lines_ >> mixed_bits) * line_slots;
  }
  // What the slot of a pair begins with, in the line where it belongs.
  static uint64_t key_of(uint64_t mixed) { return (mixed & tag_mask) << away_bits; }
  static constexpr unsigned key_shift = rank_bits + 2 * code_bits;

  // All ones where there is none. A line that is not full is all there is.
  uint64_t find_from(const uint64_t* line, uint64_t key) const {
    for (uint64_t away = 0; away < lines_max; ++away) {
      for (size_t i = 0; i < line_slots; ++i)
        if (line[i] >> key_shift == (key | away)) return line[i];
      if (line[line_slots - 1] == empty) break;
      line += line_slots;
      if (line == slots_.data() + lines_ * line_slots) line = slots_.data();
    }
    return empty;
  }
  // Of a slot, or all ones.
  static uint32_t rank_of(uint64_t slot) { return static_cast<uint32_t>(slot) & no_rank; }
  uint32_t of_right(uint64_t slot) const { return ranks_of_codes_[slot >> rank_bits & code_mask]; }
  uint32_t of_left(uint64_t slot) const {
    return ranks_of_codes_[slot >> rank_bits >> code_bits & code_mask];
  }

  Found find(uint32_t left, uint32_t right) const {
    const uint64_t mixed = mix(left, right), slot = find_from(line_of(mixed), key_of(mixed));
    return {rank_of(slot), of_right(slot), of_left(slot)};
  }

 private:
  static constexpr unsigned mixed_bits = 2 * PairTable::id_bits, tag_bits = 64 - key_shift - away_bits;
  static constexpr uint64_t mixed_mask = (uint64_t{1} << mixed_bits) - 1, code_mask = (1U << code_bits) - 1,
                            tag_mask = (uint64_t{1} << tag_bits) - 1, lines_max = 1U << away_bits;
  // The line and the tag are the pair: a line's pairs are so many numbers that follow each other.
  static constexpr size_t lines_min = size_t{1} << (mixed_bits - tag_bits);

  PairRivals();
  bool put_all(std::span<const Merge> merges, size_t lines);
  uint64_t* slot_of(uint32_t left, uint32_t right);

  LargeVector<uint64_t> slots_;
  uint64_t lines_ = 0;
  std::array<uint32_t, size_t{1} << code_bits> ranks_of_codes_{};
};

}  // namespace holdfast::token
