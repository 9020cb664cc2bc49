#include "token/fast/byte_trie.h"

#include <algorithm>
#include <bit>

namespace holdfast::token {

ByteTrie::ByteTrie(size_t bytes) : ids_(1, none) {
  const size_t size = std::bit_ceil(std::max<size_t>(bytes + bytes / 2, 64));
  edges_.assign(size, 0);
  mask_ = size - 1;
  shift_ = static_cast<unsigned>(64 - std::countr_zero(size));
}

void ByteTrie::put(std::string_view token, uint32_t id) {
  uint32_t node = 0;
  for (const char letter : token) {
    const auto byte = static_cast<uint8_t>(letter);
    uint32_t child = next(node, byte);
    if (child == none) {
      child = static_cast<uint32_t>(ids_.size());
      ids_.push_back(none);
      const uint64_t key = (uint64_t{node} << 8U | byte) + 1;
      uint64_t slot = key * 0x9E3779B97F4A7C15U >> shift_;
      while (edges_[slot] != 0) slot = (slot + 1) & mask_;
      edges_[slot] = key << 32U | child;
    }
    node = child;
  }
  ids_[node] = id;
}

uint32_t ByteTrie::walk(std::string_view text) const {
  uint32_t node = 0;
  for (const char letter : text) {
    node = next(node, static_cast<uint8_t>(letter));
    if (node == none) return none;
  }
  return node;
}

}  // namespace holdfast::token
