#include "token/fast/word_cache.h"

namespace holdfast::token {

WordKey WordCache::long_key_of(const uint8_t* word, size_t bytes) {
  WordKey key;
  if (bytes > word_bytes) {
    key.low = 1;  // An empty entry has zeros, all others a length.
    return key;
  }
  key.high = long_word << length_shift | bytes;
  uint64_t hash = bytes * 0x9E3779B97F4A7C15U;
  for (; bytes >= 8; bytes -= 8, word += 8) {
    uint64_t part = 0;
    std::memcpy(&part, word, 8);
    hash = (hash ^ part) * 0xE7037ED1A0B428DBU;
    hash ^= hash >> 32U;
  }
  uint64_t part = 0;
  std::memcpy(&part, word, bytes);
  hash = (hash ^ part) * 0xA0761D6478BD642FU;
  key.low = hash ^ hash >> 32U;
  key.place = static_cast<uint32_t>(key.low & ((uint64_t{1} << places_log) - 1));
  return key;
}

bool WordCache::pack(const WordTokens& tokens, PackedTokens& out) {
  if (tokens.count > PackedTokens::tokens_max) return false;
  const bool odd = tokens.count == 0 || tokens.end(tokens.count - 1) >= TokenRing::odd_end;
  out = {};
  out.at[0] = 0;
  const bool sign = !odd && tokens.count > 1 && tokens.end(0) == 0;
  for (uint32_t i = 0; i < tokens.count; ++i) {
    const uint32_t end = odd || (sign && i == 0) ? 1 : tokens.end(i);
    if (tokens.ids[i] > PackedTokens::id_mask || end == 0 || end > 16) return false;
    out.at[i] = tokens.ids[i] | (end - 1) << PackedTokens::end_shift;
  }
  out.at[0] |= tokens.count << PackedTokens::count_shift | (odd ? PackedTokens::odd_bit : 0U) |
               (sign ? 1U << PackedTokens::sign_shift : 0U);
  return true;
}

void WordCache::put(const FoundWord& word, const WordTokens& tokens) {
  if (word.bytes > word_bytes || tokens.count > TokenRing::tokens_max) return;
  Entry* const entry = &entries_[size_t{word.key.place} * 2];
  size_t way = entry[0].high == 0 ? 0 : 1;  // Of an empty place the first.
  for (size_t i = 0; i < 2; ++i) {
    if (entry[i].low != word.key.low || entry[i].high != word.key.high) continue;
    if (entry[i].tokens.is_packed() || ring_.begin_reading(entry[i].tokens.position())) return;
    way = i;  // Its tokens are overwritten.
  }
  Entry made{word.key.low, word.key.high, {}};
  const bool small = word.bytes <= small_bytes;
  if (!small || !pack(tokens, made.tokens)) {
    const uint64_t position = ring_.put(tokens, small ? std::string_view() : word.text());
    made.tokens.at[0] = PackedTokens::in_ring << PackedTokens::count_shift;
    made.tokens.at[1] = static_cast<uint32_t>(position);
    made.tokens.at[2] = static_cast<uint32_t>(position >> 32U);
    made.tokens.at[3] = tokens.count;
  }
  entry[way] = made;
}

bool WordCache::read(const FoundWord& word, const PackedTokens& found, WordTokens& out) const {
  if (word.bytes > small_bytes && !ring_.is_of(found.position(), found.ring_count(), word.text()))
    return false;
  out = ring_.read(found.position(), found.ring_count());
  return true;
}

}  // namespace holdfast::token
