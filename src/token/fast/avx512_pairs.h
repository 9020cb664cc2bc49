#pragma once

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593: its own header warns.
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "token/fast/pair_table.h"

// Ranks by a line of the table of pairs at a time, without branches that depend on the text: foretold
// wrongly, those are what merging spends most on. Of files whose functions Instructions::avx512 is asked for.
#define HOLD_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,bmi,bmi2,lzcnt")))
#define HOLD_AVX512_INLINE \
  __attribute__((target("avx512f,avx512bw,avx512vl,bmi,bmi2,lzcnt"), always_inline)) inline

namespace holdfast::token::avx512 {

// Of no pair; ranks are below.
inline constexpr uint32_t no_rank = (1U << PairTable::rank_bits) - 1;

// Of a pair of the line, or no_rank.
HOLD_AVX512_INLINE uint32_t rank_of_line(const PairTable& pairs, const uint64_t* line, uint64_t pair) {
  const __m512i all = _mm512_load_si512(line);
  const __mmask8 same = _mm512_cmpeq_epi64_mask(_mm512_srli_epi64(all, PairTable::rank_bits),
                                                _mm512_set1_epi64(static_cast<int64_t>(pair)));
  if (same == 0 && line[PairTable::line_slots - 1] != PairTable::empty) [[unlikely]]
    return pairs.rank_in(line, pair) & no_rank;
  const __m512i found = _mm512_mask_compress_epi64(_mm512_set1_epi64(-1), same, all);
  return static_cast<uint32_t>(_mm_cvtsi128_si64(_mm512_castsi512_si128(found))) & no_rank;
}

HOLD_AVX512_INLINE __m512i load_keys(const uint32_t* keys) { return _mm512_load_si512(keys); }

HOLD_AVX512_INLINE uint32_t least_of(__m512i keys) {
  const __m256i half = _mm256_min_epu32(_mm512_castsi512_si256(keys), _mm512_extracti64x4_epi64(keys, 1));
  __m128i out = _mm_min_epu32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  out = _mm_min_epu32(out, _mm_shuffle_epi32(out, 0x4E));
  out = _mm_min_epu32(out, _mm_shuffle_epi32(out, 0xB1));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(out));
}

// Two tokens that come to be next to each other: where their rank is looked for.
struct Neighbours {
  uint64_t pair = 0;
  const uint64_t* line = nullptr;

  // Of one that there is not, the id is no_id, and the line the empty one.
  HOLD_AVX512_INLINE void meet(const PairTable& pairs, uint32_t left, uint32_t right) {
    pair = PairTable::pair_of(left, right);
    const uint64_t* const found = pairs.line_of(pair);
    const bool nobody = (left == PairTable::no_id) | (right == PairTable::no_id);
    line = found + ((pairs.empty_line() - found) & -static_cast<std::ptrdiff_t>(nobody));
    __builtin_prefetch(line);
  }
  HOLD_AVX512_INLINE uint32_t rank(const PairTable& pairs) const { return rank_of_line(pairs, line, pair); }
};

}  // namespace holdfast::token::avx512
