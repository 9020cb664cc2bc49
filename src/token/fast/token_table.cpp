#include "token/fast/token_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace holdfast::token {

TokenTable::TokenTable(size_t tokens, size_t bytes) {
  const size_t size = std::bit_ceil(std::max<size_t>(tokens * 2, 64));
  slots_.resize(size);
  mask_ = size - 1;
  arena_.reserve(bytes);
}

uint64_t TokenTable::hash_of(std::string_view token) {
  const char* at = token.data();
  size_t left = token.size();
  uint64_t hash = left * 0x9E3779B97F4A7C15U;
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t part = 0;
    std::memcpy(&part, at, 8);
    hash = (hash ^ part) * 0xE7037ED1A0B428DBU;
    hash ^= hash >> 32U;
  }
  uint64_t part = 0;
  if (left > 0) std::memcpy(&part, at, left);
  hash = (hash ^ part) * 0xA0761D6478BD642FU;
  return hash ^ hash >> 32U;
}

void TokenTable::put(std::string_view token, uint32_t id) {
  uint64_t slot = hash_of(token) & mask_;
  while (slots_[slot].id != none) {
    Slot& found = slots_[slot];
    if (std::string_view(arena_).substr(found.begin, found.bytes) == token) {
      found.id = id;
      return;
    }
    slot = (slot + 1) & mask_;
  }
  slots_[slot] = {id, static_cast<uint32_t>(arena_.size()), static_cast<uint32_t>(token.size())};
  arena_ += token;
  token_bytes_max_ = std::max(token_bytes_max_, token.size());
}

}  // namespace holdfast::token
