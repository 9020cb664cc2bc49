#include "token/fast/token_ring.h"

#include <algorithm>
#include <cstring>

namespace holdfast::token {
namespace {

constexpr size_t slots_of(size_t bytes) { return (bytes + 3) / 4; }

}  // namespace

uint64_t TokenRing::put(const WordTokens& tokens, std::string_view word) {
  const size_t size = tokens.count + slots_of(tokens.count) + slots_of(word.size());
  // A record is in one piece.
  if (written_ % slots + size > slots) written_ += slots - written_ % slots;
  const uint64_t position = written_;
  uint32_t* const at = &slots_[position % slots];
  std::copy_n(tokens.ids, tokens.count, at);
  auto* const ends = reinterpret_cast<uint8_t*>(at + tokens.count);
  for (uint32_t i = 0; i < tokens.count; ++i)
    ends[i] = static_cast<uint8_t>(std::min<uint32_t>(tokens.end(i), odd_end));
  std::copy(word.begin(), word.end(), reinterpret_cast<char*>(at + tokens.count + slots_of(tokens.count)));
  written_ += size;
  return position;
}

WordTokens TokenRing::read(uint64_t position, uint32_t count) const {
  const uint32_t* const at = &slots_[position % slots];
  return {
      .ids = at, .ends = nullptr, .short_ends = reinterpret_cast<const uint8_t*>(at + count), .count = count};
}

bool TokenRing::is_of(uint64_t position, uint32_t count, std::string_view word) const {
  const uint32_t* const at = &slots_[position % slots] + count + slots_of(count);
  return std::memcmp(at, word.data(), word.size()) == 0;
}

}  // namespace holdfast::token
