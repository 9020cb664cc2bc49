#pragma once

#include <emmintrin.h>

#include <bit>
#include <cstdint>

#include "token/fast/code_flags.h"

// Ends of runs of characters of one class: 16 bytes of ASCII at a time (SSE2, which every x86-64 has), the
// rest by table. Texts are valid UTF-8 and nothing is read beyond `end`.
namespace holdfast::token::runs {

inline __m128i load(const uint8_t* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
inline uint32_t bits(__m128i lanes) { return static_cast<uint32_t>(_mm_movemask_epi8(lanes)); }
inline __m128i splat(char byte) { return _mm_set1_epi8(byte); }

// Lanes first <= byte < first + count, unsigned.
inline __m128i between(__m128i bytes, char first, char count) {
  const __m128i from = _mm_sub_epi8(bytes, splat(first));
  return _mm_cmpeq_epi8(_mm_min_epu8(from, splat(static_cast<char>(count - 1))), from);
}

struct AsciiLetters {
  static constexpr uint8_t flags = flag_letter;
  static uint32_t of(__m128i bytes) { return bits(between(_mm_or_si128(bytes, splat(0x20)), 'a', 26)); }
};
struct AsciiLower {
  static uint32_t of(__m128i bytes) { return bits(between(bytes, 'a', 26)); }
};
struct AsciiUpper {
  static uint32_t of(__m128i bytes) { return bits(between(bytes, 'A', 26)); }
};
struct AsciiDigits {
  static uint32_t of(__m128i bytes) { return bits(between(bytes, '0', 10)); }
};
struct AsciiSpaces {
  static uint32_t of(__m128i bytes) {
    return bits(_mm_or_si128(_mm_cmpeq_epi8(bytes, splat(' ')), between(bytes, 9, 5)));
  }
};
// Neither letter, digit nor white space.
struct AsciiOthers {
  static uint32_t of(__m128i bytes) {
    return ~(AsciiLetters::of(bytes) | AsciiDigits::of(bytes) | AsciiSpaces::of(bytes) | bits(bytes)) &
           0xFFFFU;
  }
};

template <class Ascii, bool inverted>
[[gnu::noinline]] const uint8_t* end_of_long(const uint8_t* at, const uint8_t* end, const uint8_t* flags,
                                             uint8_t mask) {
  while (true) {
    while (end - at >= 16) {
      const uint32_t known = Ascii::of(load(at));
      if (known != 0xFFFF) {
        at += std::countr_one(known);
        break;
      }
      at += 16;
    }
    while (at < end && *at < 0x80 && ((flags[*at] & mask) != 0) != inverted) ++at;
    if (at >= end || *at < 0x80) return at;
    do {
      const Decoded wide = decode_wide(at);
      if (((flags[wide.code] & mask) != 0) == inverted) return at;
      at += wide.bytes;
    } while (at < end && *at >= 0x80);
  }
}

// The end of the characters from `at` that Ascii knows or whose flags, seen through `mask`, are not 0; with
// `inverted`, are 0.
template <class Ascii, bool inverted = false>
inline const uint8_t* end_of(const uint8_t* at, const uint8_t* end, const uint8_t* flags, uint8_t mask) {
  if (end - at > 16) [[likely]] {
    at += std::countr_one(Ascii::of(load(at)) & 0xFFFFU);
    if (*at < 0x80 && ((flags[*at] & mask) != 0) == inverted) [[likely]]
      return at;
  }
  return end_of_long<Ascii, inverted>(at, end, flags, mask);
}

}  // namespace holdfast::token::runs
