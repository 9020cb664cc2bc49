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

// Merges the symbols of a word: the lowest rank first, then the leftmost, as long as there is one. Short words by looking for
// the least rank again and again, long ones with a heap: n log n. One for each thread; keeps its memory.
class BpeMerger {
 public:
  explicit BpeMerger(const PairTable& pairs) : pairs_(&pairs) {}

  // Returns how many are left, in `symbols`, in order.
  size_t merge(MergeSymbol* symbols, size_t count) {
    return count <= short_max ? merge_short(symbols, count) : merge_long(symbols, count);
  }

 private:
  static constexpr size_t short_max = 48;

  size_t merge_short(MergeSymbol* symbols, size_t count) const;
  size_t merge_long(MergeSymbol* symbols, size_t count);

  struct Link {
    uint32_t previous = 0, next = 0;
  };

  const PairTable* pairs_;
  std::vector<Link> links_;
  std::vector<uint64_t> heap_;  // rank << 32 | position; the least first.
};

}  // namespace holdfast::token
