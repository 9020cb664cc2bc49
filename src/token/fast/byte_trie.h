#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace holdfast::token {

// A tree over bytes with an id at the nodes where a token ends; all edges in one flat table. Filled once,
// then constant; safe from any thread.
class ByteTrie {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  explicit ByteTrie(size_t bytes);                // Of all tokens together.
  void put(std::string_view token, uint32_t id);  // The last of equal ones counts.

  // The node that `byte` leads to; none if there is none. The root is 0.
  uint32_t next(uint32_t node, uint8_t byte) const {
    const uint64_t wanted = (uint64_t{node} << 8U | byte) + 1;
    for (uint64_t slot = wanted * 0x9E3779B97F4A7C15U >> shift_;; slot = (slot + 1) & mask_) {
      const uint64_t found = edges_[slot];
      if (found >> 32U == wanted) return static_cast<uint32_t>(found);
      if (found == 0) return none;
    }
  }
  uint32_t id(uint32_t node) const { return ids_[node]; }
  uint32_t walk(std::string_view text) const;  // The node at its end, or none.

 private:
  std::vector<uint64_t> edges_;  // (node << 8 | byte) + 1, then where it leads; 0: free.
  std::vector<uint32_t> ids_;
  uint64_t mask_ = 0;
  unsigned shift_ = 0;
};

}  // namespace holdfast::token
