#include "token/fast/word_cache.h"

#include <algorithm>

namespace holdfast::token {

WordCache::WordCache() : small_(new Small[(small_mask + 1) * 2]), large_(new Large[(large_mask + 1) * 2]) {}

void WordCache::put_small(const Key& key, size_t bytes, const WordTokens& tokens) {
  if (tokens.count > small_tokens) return;
  Small* const entry = &small_[(key.hash & small_mask) * 2];
  entry[1] = entry[0];
  Small made;
  made.low = key.low;
  made.high = key.high;
  std::copy_n(tokens.ids, tokens.count, made.ids);
  std::copy_n(tokens.ends, tokens.count, made.ends);
  made.bytes = static_cast<uint8_t>(bytes);
  made.count = static_cast<uint8_t>(tokens.count);
  entry[0] = made;
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

bool WordCache::find_large(const uint8_t* word, size_t bytes, WordTokens& out) const {
  const Large* entry = &large_[(hash_of(word, bytes) & large_mask) * 2];
  for (int way = 0; way < 2; ++way, ++entry) {
    if (entry->bytes != bytes || std::memcmp(entry->word, word, bytes) != 0) continue;
    out = {entry->ids, entry->ends, entry->count};
    return true;
  }
  return false;
}

void WordCache::put_large(const uint8_t* word, size_t bytes, const WordTokens& tokens) {
  if (tokens.count >= large_tokens) return;
  Large* const entry = &large_[(hash_of(word, bytes) & large_mask) * 2];
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
