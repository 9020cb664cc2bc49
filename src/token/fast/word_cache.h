#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <memory>

namespace holdfast::token {

// Tokens of one word: ids and where each ends, in units of the word model (bytes or code points of the word).
struct WordTokens {
  const uint32_t* ids = nullptr;  // 8 may always be read.
  const uint8_t* ends = nullptr;
  uint32_t count = 0;
};

// The words seen last and their tokens: two ways, one cache line an entry for words up to 16 bytes, two for
// up to 48. Bounded; of one thread at a time.
class WordCache {
 public:
  static constexpr size_t small_bytes = 16, small_tokens = 8, large_bytes = 48, large_tokens = 15;

  WordCache();

  struct Key {
    uint64_t low = 0, high = 0;
    uint64_t hash = 0;
  };

  // `bytes` of 1 to 16; `readable` bytes may be read at `word`.
  static Key key_of(const uint8_t* word, size_t bytes, size_t readable) {
    Key key;
    if (readable >= small_bytes) [[likely]] {
      std::memcpy(&key.low, word, 8);
      std::memcpy(&key.high, word + 8, 8);
      const uint64_t low_bits = bytes >= 8 ? ~uint64_t{0} : ~(~uint64_t{0} << (bytes * 8));
      const uint64_t high_bits = bytes >= 16  ? ~uint64_t{0}
                                 : bytes <= 8 ? 0
                                              : ~(~uint64_t{0} << (bytes * 8 - 64));
      key.low &= low_bits;
      key.high &= high_bits;
    } else {
      uint64_t both[2] = {0, 0};
      std::memcpy(both, word, bytes);
      key.low = both[0];
      key.high = both[1];
    }
    const unsigned __int128 product = static_cast<unsigned __int128>(key.low ^ 0xA0761D6478BD642FU ^ bytes) *
                                      (key.high ^ 0xE7037ED1A0B428DBU);
    key.hash = static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64U);
    return key;
  }

  bool find_small(const Key& key, size_t bytes, WordTokens& out) const {
    const Small* entry = &small_[(key.hash & small_mask) * 2];
    if (entry->low != key.low || entry->high != key.high || entry->bytes != bytes) {
      ++entry;
      if (entry->low != key.low || entry->high != key.high || entry->bytes != bytes) return false;
    }
    out = {entry->ids, entry->ends, entry->count};
    return true;
  }
  void put_small(const Key& key, size_t bytes, const WordTokens& tokens);

  bool find_large(const uint8_t* word, size_t bytes, WordTokens& out) const;
  void put_large(const uint8_t* word, size_t bytes, const WordTokens& tokens);

 private:
  static constexpr uint64_t small_mask = (1U << 15U) - 1, large_mask = (1U << 12U) - 1;

  struct alignas(64) Small {
    uint64_t low = 0, high = 0;
    uint32_t ids[small_tokens] = {};
    uint8_t ends[small_tokens] = {};
    uint8_t bytes = 0, count = 0;  // No bytes: nothing.
  };
  struct alignas(64) Large {
    uint8_t word[large_bytes] = {};
    uint32_t ids[large_tokens + 1] = {};
    uint8_t ends[large_tokens - 1] = {};  // The last one ends with the word.
    uint8_t bytes = 0, count = 0;
  };
  static_assert(sizeof(Small) == 64 && sizeof(Large) == 128);

  static uint64_t hash_of(const uint8_t* word, size_t bytes);

  std::unique_ptr<Small[]> small_;
  std::unique_ptr<Large[]> large_;
};

}  // namespace holdfast::token
