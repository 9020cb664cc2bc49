#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "token/fast/instructions.h"
#include "token/fast/large_pages.h"
#include "token/fast/pair_table.h"
#include "token/fast/prefix_tree.h"

namespace holdfast::token {

// Merges several short texts by their ranks, a step of one after a step of the other, so that their reads of
// memory wait together. The least rank of a text is found by comparing all of them at once. Immutable; safe
// from any thread.
class MergeLanes {
 public:
  static constexpr size_t symbols_max = 64, count = 16;

  // One text under merging.
  struct Lane {
    alignas(64) std::array<uint32_t, symbols_max> keys{};  // Rank << 6 | place, of a symbol and the next.
    std::array<uint32_t, symbols_max> ids{};
    std::array<uint16_t, symbols_max + 1> begins{};  // In bytes; the last is the end.
    uint64_t live = 0;                               // Places where a symbol begins.
    size_t size = 0;                                 // Symbols before merging.

    // Tokens and their ends, after merging; returns how many.
    size_t put_tokens(uint32_t* out_ids, uint32_t* ends) const {
      size_t used = 0;
      for (uint64_t rest = live; rest != 0; ++used) {
        out_ids[used] = ids[static_cast<size_t>(std::countr_zero(rest))];
        rest &= rest - 1;
        ends[used] = begins[rest == 0 ? size : static_cast<size_t>(std::countr_zero(rest))];
      }
      return used;
    }
  };

  // What a byte is as a symbol, or none; other symbols are characters of several bytes, found in `tree`.
  MergeLanes(const std::array<uint32_t, 256>& symbols, const PairTable& pairs, const PrefixTree& tree);

  // Puts in the symbols at the begin of a text that is not empty; returns their bytes, 0 where one is none.
  size_t fill(Lane& lane, std::string_view text) const;
  // Until nothing can be merged. Places that are still live hold tokens.
  void merge(std::span<Lane> lanes, Instructions instructions) const;

 private:
  static constexpr unsigned place_bits = 6;
  static constexpr uint32_t nothing = PairTable::none << place_bits;  // And what is above.

  // A merge that is done save for the keys of what is next to it.
  struct Merged {
    Lane* lane = nullptr;
    uint32_t id = 0, place = 0;
    uint64_t before = 0, after = 0;  // Places that are live.
  };
  Merged begin_merge(Lane& lane, uint32_t key) const;
  void end_merge(const Merged& merged) const;
  void merge_by_avx2(std::span<Lane> lanes) const;
  void merge_by_avx512(std::span<Lane> lanes) const;
  [[gnu::always_inline]] uint32_t key_of(uint32_t left, uint32_t right, uint32_t place) const {
    return pairs_.rank_of(left, right) << place_bits | place;
  }

  static_assert(PairTable::rank_bits + place_bits < 32);
  const PairTable& pairs_;
  const PrefixTree& tree_;
  std::array<uint32_t, 256> symbols_;
  LargeVector<uint32_t> ascii_ranks_;  // Of two bytes of ASCII: first << 7 | second.
};

}  // namespace holdfast::token
