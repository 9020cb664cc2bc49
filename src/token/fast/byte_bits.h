#pragma once

#include <emmintrin.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

// Which of up to 64 bytes are of a kind, a bit each, by 16 at a time (SSE2, which every x86-64 has).
namespace holdfast::token::byte_bits {

// Bytes first to last.
struct InRange {
  uint8_t first, last;
  bool has(uint8_t byte) const { return byte >= first && byte <= last; }
  __m128i has(__m128i bytes) const {
    const __m128i from = _mm_sub_epi8(bytes, _mm_set1_epi8(static_cast<char>(first)));
    return _mm_cmpeq_epi8(_mm_min_epu8(from, _mm_set1_epi8(static_cast<char>(last - first))), from);
  }
};

struct Equal {
  uint8_t byte;
  bool has(uint8_t other) const { return other == byte; }
  __m128i has(__m128i bytes) const { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(static_cast<char>(byte))); }
};

template <class Kind>
inline uint64_t of_block(const uint8_t* at, size_t bytes, Kind kind) {
  uint64_t out = 0;
  size_t i = 0;
  for (; i + 16 <= bytes; i += 16) {
    const __m128i lanes = kind.has(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at + i)));
    out |= uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(lanes))} << i;
  }
  for (; i < bytes; ++i) out |= uint64_t{kind.has(at[i])} << i;
  return out;
}

// The first bit from `from` on and before `end`, or `end`. `bits` reach as far as `end`.
inline size_t next(const std::vector<uint64_t>& bits, size_t from, size_t end) {
  if (from >= end) return end;
  size_t word = from / 64;
  for (uint64_t left = bits[word] >> (from % 64) << (from % 64); word * 64 < end; left = bits[word])
    if (left != 0)
      return std::min(end, word * 64 + static_cast<size_t>(std::countr_zero(left)));
    else if (++word * 64 >= end)
      break;
  return end;
}

}  // namespace holdfast::token::byte_bits
