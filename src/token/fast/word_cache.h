#pragma once

#include <emmintrin.h>

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

#include "token/fast/large_pages.h"
#include "token/fast/token_ring.h"

namespace holdfast::token {

// A word on its way to its tokens: its bytes as two numbers where they are few, else its hash and its length;
// and the place in the cache to look at.
struct WordKey {
  static constexpr unsigned goes_on_shift = 62;
  uint64_t low = 0, high = 0;  // The highest byte of `high`: the length of a small word, long_word, or 0.
  uint32_t place = 0;

  // Of the same bytes after a cut.
  void go_on() { high |= uint64_t{1} << goes_on_shift; }
};

// Whether a word begins where one does, or goes on after a cut: what comes of the same bytes may differ.
enum class WordPlace : uint8_t { first, goes_on };

// A word of a text on its way to its tokens.
struct FoundWord {
  const uint8_t* at = nullptr;
  uint32_t bytes = 0;
  uint32_t skipped = 0;  // Code points between the word before and this one.
  WordKey key;

  WordPlace place() const { return static_cast<WordPlace>(key.high >> WordKey::goes_on_shift & 1U); }
  std::string_view text() const { return {reinterpret_cast<const char*>(at), bytes}; }
};

// What a cache knows of a word: up to 4 tokens, or where more of them are. A token is its id and the place it
// ends at, less one; in the first one is the count.
struct alignas(16) PackedTokens {
  static constexpr uint32_t tokens_max = 4, id_mask = (1U << 20U) - 1, odd_bit = 1U << 27U;
  static constexpr unsigned end_shift = 20, count_shift = 24, sign_shift = 28;
  static constexpr uint32_t in_ring = 6, unknown = 7;

  uint32_t at[tokens_max] = {unknown << count_shift, 0, 0, 0};

  uint32_t count() const { return at[0] >> count_shift & 7U; }
  bool is_packed() const { return count() <= tokens_max; }
  // The ends are not known: they do not follow each other from the begin of the word to its end.
  bool is_odd() const { return (at[0] & odd_bit) != 0; }
  // 1 where the first token is only what stands in front of the word: its end is given as that of the first
  // character, at which the second token begins none the less.
  uint32_t begins_with_sign() const { return at[0] >> sign_shift & 1U; }
  bool has_id(uint32_t wanted) const {
    for (uint32_t i = 0; i < count(); ++i)
      if (id(i) == wanted) return true;
    return false;
  }
  uint32_t id(uint32_t index) const { return at[index] & id_mask; }
  uint32_t end(uint32_t index) const { return (at[index] >> end_shift & 15U) + 1; }
  // Of tokens in the ring.
  uint64_t position() const { return uint64_t{at[2]} << 32U | at[1]; }
  uint32_t ring_count() const { return at[3]; }
};

// The words seen last and their tokens: entries of half a cache line, two to a place. What is new takes the
// second way, what is found there the first, so that words seen once drive out only each other. Words of up
// to 15 bytes and 4 tokens are in their entry, others of up to 127 bytes in a ring. Bounded; of one thread at
// a time.
class WordCache {
 public:
  static constexpr size_t small_bytes = 15, word_bytes = 127;

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
    key.high |= uint64_t{bytes} << length_shift;
    const uint64_t mixed = (key.low ^ key.high * 0x9E3779B97F4A7C15U) * 0xE7037ED1A0B428DBU;
    key.place = static_cast<uint32_t>(mixed >> (64 - places_log));
    return key;
  }
  // Of a word of up to word_bytes; longer ones have one that is never found.
  static WordKey long_key_of(const uint8_t* word, size_t bytes);

  void prefetch(const WordKey& key) const { __builtin_prefetch(&entries_[size_t{key.place} * 2]); }

  // What is in the ring is on its way when this comes back, and stays while rows_ahead words are put.
  PackedTokens find(const WordKey& key) {
    Entry* const entry = &entries_[size_t{key.place} * 2];
    if (entry->low != key.low || entry->high != key.high) [[unlikely]] {
      if (entry[1].low != key.low || entry[1].high != key.high) return {};
      std::swap(entry[0], entry[1]);
    }
    if (!entry->tokens.is_packed()) [[unlikely]]
      return ring_.begin_reading(entry->tokens.position()) ? entry->tokens : PackedTokens();
    return entry->tokens;
  }
  // The tokens of what find() found in the ring; false where they turn out to be another word's.
  bool read(const FoundWord& word, const PackedTokens& found, WordTokens& out) const;

  // Puts a word where it fits, if it does and is not there; of ends only that they are not the word's is kept
  // where they are beyond word_bytes.
  void put(const FoundWord& word, const WordTokens& tokens);

 private:
  static constexpr unsigned places_log = 17, length_shift = 56;
  static constexpr uint64_t long_word = 128;

  struct Entry {
    uint64_t low = 0, high = 0;
    PackedTokens tokens;
  };
  static_assert(sizeof(Entry) == 32);

  static bool pack(const WordTokens& tokens, PackedTokens& out);

  // 16 times 255, then zeros.
  static const uint8_t masks[32];

  ZeroedTable<Entry> entries_{size_t{2} << places_log};  // One of zeros is no word's.
  TokenRing ring_;
};

inline constexpr uint8_t WordCache::masks[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                                 255, 255, 255, 255, 255, 0,   0,   0,   0,   0,   0,
                                                 0,   0,   0,   0,   0,   0,   0,   0,   0,   0};

}  // namespace holdfast::token
