#pragma once

#include <cstdint>
#include <vector>

#include "token/fast/large_pages.h"
#include "token/models/bpe.h"

namespace holdfast::token {

// Merges by their pair: open addressing in one flat table of 8-byte slots, pair and rank in one word. Of an
// equal pair the last counts. Immutable; safe from any thread.
class PairTable {
 public:
  static constexpr uint32_t none = UINT32_MAX;
  static constexpr uint32_t id_bits = 20, rank_bits = 24;

  // False where ids or ranks are too large for a slot.
  static bool fits(const std::vector<Merge>& merges);
  explicit PairTable(const std::vector<Merge>& merges);

  uint32_t rank_of(uint32_t left, uint32_t right) const {
    const uint64_t pair = uint64_t{left} << id_bits | right;
    const uint64_t mixed = pair * 0x9E3779B97F4A7C15U;
    // Most pairs are none: a small table of bits says so without a look into the large one.
    if ((filter_.data()[mixed >> filter_shift_ >> 6U] >> (mixed >> filter_shift_ & 63U) & 1U) == 0)
      return none;
    for (uint64_t slot = mixed >> shift_;; slot = (slot + 1) & mask_) {
      const uint64_t found = slots_.data()[slot];
      if (found >> rank_bits == pair) return static_cast<uint32_t>(found & ((1U << rank_bits) - 1));
      if (found == empty) return none;
    }
  }
  void prefetch(uint32_t left, uint32_t right) const {
    const uint64_t mixed = (uint64_t{left} << id_bits | right) * 0x9E3779B97F4A7C15U;
    __builtin_prefetch(filter_.data() + (mixed >> filter_shift_ >> 6U));
    __builtin_prefetch(slots_.data() + (mixed >> shift_));
  }
  uint32_t result_of(uint32_t rank) const { return results_.data()[rank]; }

 private:
  static constexpr uint64_t empty = UINT64_MAX;

  LargeVector<uint64_t> slots_, filter_;
  std::vector<uint32_t> results_;
  uint64_t mask_ = 0;
  unsigned shift_ = 0, filter_shift_ = 0;
};

}  // namespace holdfast::token
