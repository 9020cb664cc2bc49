#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "token/fast/pair_table.h"

namespace holdfast::token {

// A symbol of a word under merging and its length in the units of the caller.
struct MergeSymbol {
  uint32_t id = 0, units = 0;
};

// Merges the symbols of a word: the lowest rank first, then the leftmost, as long as there is one. Short
// words by looking for the least rank again and again, long ones with a heap: n log n. One for each thread;
// keeps its memory.
class BpeMerger {
 public:
  explicit BpeMerger(const PairTable& pairs) : pairs_(&pairs) {}

  // Returns how many are left, in `symbols`, in order.
  size_t merge(MergeSymbol* symbols, size_t count) {
    if (count > short_max) return merge_long(symbols, count);
    Ranks ranks;
    for (size_t i = 0; i + 1 < count; ++i) ranks[i] = pairs_->rank_of(symbols[i].id, symbols[i + 1].id);
    return merge_short(symbols, ranks, count);
  }

  // The same for at most short_max symbols whose pairs' ranks the caller knows.
  static constexpr size_t short_max = 48;
  using Ranks = std::array<uint32_t, short_max>;
  size_t merge_short(MergeSymbol* symbols, Ranks& ranks, size_t count) const;

 private:
  size_t merge_long(MergeSymbol* symbols, size_t count);

  struct Link {
    uint32_t previous = 0, next = 0;
  };

  const PairTable* pairs_;
  std::vector<Link> links_;
  std::vector<uint64_t> heap_;  // rank << 32 | position; the least first.
};

}  // namespace holdfast::token
