#pragma once

#include <cstdint>

#include "token/fast/large_pages.h"

namespace holdfast::token {

// Whether two tokens may stand next to each other, for the pairs asked last: a slot each, the newest stays.
// Ids are below 2^20. Of one thread at a time.
class FitCache {
 public:
  enum class Fit : uint8_t { no, yes, unknown };

  Fit find(uint32_t left, uint32_t right) const {
    const uint64_t mixed = mix(left, right);
    const uint32_t found = slots_[mixed >> tag_bits];
    return found >> 2U == (mixed & tag_mask) && (found & used) != 0 ? static_cast<Fit>(found & 1U)
                                                                    : Fit::unknown;
  }
  void put(uint32_t left, uint32_t right, bool fits) {
    const uint64_t mixed = mix(left, right);
    slots_[mixed >> tag_bits] = static_cast<uint32_t>(mixed & tag_mask) << 2U | used | (fits ? 1U : 0U);
  }
  void prefetch(uint32_t left, uint32_t right) const {
    __builtin_prefetch(&slots_[mix(left, right) >> tag_bits]);
  }

 private:
  static constexpr unsigned id_bits = 20, places_log = 17, tag_bits = 2 * id_bits - places_log;
  static constexpr uint64_t pair_mask = (uint64_t{1} << 2 * id_bits) - 1,
                            tag_mask = (uint64_t{1} << tag_bits) - 1;
  static constexpr uint32_t used = 2;

  // Another number of 40 bits for each pair: the place and what tells it from others at that place.
  static uint64_t mix(uint32_t left, uint32_t right) {
    return (uint64_t{left} << id_bits | right) * 0x9E3779B97F4A7C15U & pair_mask;
  }

  ZeroedTable<uint32_t> slots_{size_t{1} << places_log};
};

}  // namespace holdfast::token
