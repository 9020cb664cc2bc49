#include "token/fast/word_cache.h"

#include <algorithm>

namespace holdfast::token {

WordCache::WordCache()
    : small_(size_t{2} << small_log),
      large_((large_mask + 1) * 2),
      small_data_(small_.data()),
      large_data_(large_.data()) {}

bool WordCache::put_small(const WordKey& key, const WordTokens& tokens) {
  if (tokens.count > small_tokens) return false;
  Small made;
  made.low = key.low;
  made.high = key.high;
  const bool odd = tokens.count == 0 || tokens.ends[tokens.count - 1] == odd_end;
  for (uint32_t i = 0; i < tokens.count; ++i) {
    if (tokens.ids[i] > Small::id_mask) return false;
    if (!odd && (tokens.ends[i] == 0 || tokens.ends[i] > 16)) return false;
    made.tokens[i] = tokens.ids[i] | (odd ? 0U : uint32_t{tokens.ends[i]} - 1) << Small::end_shift;
  }
  made.tokens[0] |= tokens.count << Small::count_shift | (odd ? Small::odd_bit : 0U);
  small_data_[key.place * 2 + 1] = made;
  return true;
}

void WordCache::put(const FoundWord& word, const uint32_t* ids, const uint32_t* ends, size_t count) {
  if (count >= large_tokens) return;
  uint8_t short_ends[large_tokens];
  for (size_t i = 0; i < count; ++i)
    short_ends[i] = static_cast<uint8_t>(std::min<uint32_t>(ends[i], odd_end));
  const WordTokens tokens{ids, short_ends, static_cast<uint32_t>(count)};
  const bool small = word.bytes <= small_bytes;
  if (small && put_small(word.key, tokens)) return;
  put_large(small ? large_key_of(word.at, word.bytes).place : word.key.place, word.at, word.bytes, tokens);
}

uint64_t WordCache::hash_of(const uint8_t* word, size_t bytes) {
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
  return hash ^ hash >> 32U;
}

bool WordCache::find_large(uint32_t place, const uint8_t* word, size_t bytes, WordTokens& out) const {
  const Large* entry = large_data_ + size_t{place} * 2;
  for (int way = 0; way < 2; ++way, ++entry) {
    if (entry->bytes != bytes || std::memcmp(entry->word, word, bytes) != 0) continue;
    out = {entry->ids, entry->ends, entry->count};
    return true;
  }
  return false;
}

void WordCache::put_large(uint32_t place, const uint8_t* word, size_t bytes, const WordTokens& tokens) {
  if (tokens.count >= large_tokens) return;
  Large* const entry = large_data_ + size_t{place} * 2;
  entry[1] = entry[0];
  Large made;
  std::copy_n(word, bytes, made.word);
  std::copy_n(tokens.ids, tokens.count, made.ids);
  std::copy_n(tokens.ends, tokens.count, made.ends);
  made.bytes = static_cast<uint8_t>(bytes);
  made.count = static_cast<uint8_t>(tokens.count);
  entry[0] = made;
}

}  // namespace holdfast::token
