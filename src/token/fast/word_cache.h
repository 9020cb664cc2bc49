#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "token/fast/large_pages.h"

namespace holdfast::token {

// Tokens of one word: ids and where each ends, in units of the word model (bytes or code points of the word).
struct WordTokens {
  const uint32_t* ids = nullptr;
  const uint8_t* ends = nullptr;
  uint32_t count = 0;
};

// A word on its way to its tokens: its bytes as two numbers where they are few, else their hash; and the
// place in the cache to look at.
struct WordKey {
  uint64_t low = 0, high = 0;  // Of a small word; its length is the highest byte.
  uint32_t place = 0;
};

// A word of a text on its way to its tokens.
struct FoundWord {
  const uint8_t* at = nullptr;
  uint32_t bytes = 0;
  uint32_t skipped = 0;  // Code points between the word before and this one.
  WordKey key;

  std::string_view text() const { return {reinterpret_cast<const char*>(at), bytes}; }
};

// The words seen last and their tokens. Words of up to 15 bytes and 4 tokens are entries of half a cache
// line, two to a place: what is new takes the second way, what is found there the first, so that words seen
// once drive out only each other. Others of up to 48 bytes are entries of two lines. Bounded; of one thread
// at a time.
class WordCache {
 public:
  static constexpr size_t small_bytes = 15, small_tokens = 4, large_bytes = 48, large_tokens = 15;

  WordCache();

  // A small word: each token is its id, the place it ends at less one, and in the first one the count.
  struct Small {
    static constexpr uint32_t id_mask = (1U << 20U) - 1, odd_bit = 1U << 27U;
    static constexpr unsigned end_shift = 20, count_shift = 24;

    uint64_t low = 0, high = 0;
    uint32_t tokens[small_tokens] = {};

    uint32_t count() const { return tokens[0] >> count_shift & 7U; }
    // The ends are not known: they do not follow each other from the begin of the word to its end.
    bool is_odd() const { return (tokens[0] & odd_bit) != 0; }
    uint32_t end(uint32_t index) const { return (tokens[index] >> end_shift & 15U) + 1; }
  };

  // `bytes` of 1 to small_bytes; `readable` bytes may be read at `word`.
  static WordKey key_of(const uint8_t* word, size_t bytes, size_t readable) {
    WordKey key;
    if (readable >= 16) [[likely]] {
      const __m128i all = _mm_loadu_si128(reinterpret_cast<const __m128i*>(word));
      const __m128i kept =
          _mm_and_si128(all, _mm_loadu_si128(reinterpret_cast<const __m128i*>(masks + 16 - bytes)));
      key.low = static_cast<uint64_t>(_mm_cvtsi128_si64(kept));
      key.high = static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(kept, kept)));
    } else {
      uint64_t both[2] = {0, 0};
      std::memcpy(both, word, bytes);
      key.low = both[0];
      key.high = both[1];
    }
    key.high |= uint64_t{bytes} << 56U;
    const uint64_t mixed = (key.low ^ key.high * 0x9E3779B97F4A7C15U) * 0xE7037ED1A0B428DBU;
    key.place = static_cast<uint32_t>(mixed >> (64 - small_log));
    return key;
  }
  // A word of at most large_bytes: of more than small_bytes, or of many tokens.
  static WordKey large_key_of(const uint8_t* word, size_t bytes) {
    WordKey key;
    key.place = static_cast<uint32_t>(hash_of(word, bytes) & large_mask);
    return key;
  }

  void prefetch_small(const WordKey& key) const { __builtin_prefetch(&small_data_[key.place * 2]); }
  void prefetch_large(uint32_t place) const { __builtin_prefetch(&large_data_[size_t{place} * 2]); }

  bool has_small(const WordKey& key) const {
    const Small* const entry = small_data_ + key.place * 2;
    return (entry->low == key.low && entry->high == key.high) ||
           (entry[1].low == key.low && entry[1].high == key.high);
  }
  bool has_large(uint32_t place, const uint8_t* word, size_t bytes) const {
    WordTokens tokens;
    return find_large(place, word, bytes, tokens);
  }
  // Puts a word of up to large_bytes where it fits, if it does. `ends` are cut to a byte.
  void put(const FoundWord& word, const uint32_t* ids, const uint32_t* ends, size_t count);

  // Null where it is not known.
  const Small* find_small(const WordKey& key) {
    Small* const entry = small_data_ + key.place * 2;
    if (entry->low == key.low && entry->high == key.high) [[likely]]
      return entry;
    if (entry[1].low != key.low || entry[1].high != key.high) return nullptr;
    std::swap(entry[0], entry[1]);
    return entry;
  }
  // False where the word has too many tokens, or too large ids, to be an entry; `ends` 255 where not known.
  bool put_small(const WordKey& key, const WordTokens& tokens);

  bool find_large(uint32_t place, const uint8_t* word, size_t bytes, WordTokens& out) const;
  void put_large(uint32_t place, const uint8_t* word, size_t bytes, const WordTokens& tokens);

  static constexpr uint8_t odd_end = 255;

 private:
  static constexpr unsigned small_log = 15;
  static constexpr uint64_t large_mask = (1U << 12U) - 1;

  struct alignas(64) Large {
    uint8_t word[large_bytes] = {};
    uint32_t ids[large_tokens + 1] = {};
    uint8_t ends[large_tokens - 1] = {};
    uint8_t bytes = 0, count = 0;
  };
  static_assert(sizeof(Small) == 32 && sizeof(Large) == 128);

  static uint64_t hash_of(const uint8_t* word, size_t bytes);
  // 16 times 255, then zeros.
  static const uint8_t masks[32];

  LargeVector<Small> small_;
  LargeVector<Large> large_;
  Small* small_data_;
  Large* large_data_;
};

inline constexpr uint8_t WordCache::masks[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                                 255, 255, 255, 255, 255, 0,   0,   0,   0,   0,   0,
                                                 0,   0,   0,   0,   0,   0,   0,   0,   0,   0};

}  // namespace holdfast::token
