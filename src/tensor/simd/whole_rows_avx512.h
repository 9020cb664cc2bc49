#pragma once

// whole_rows.h by 512-bit registers, operation by operation, sixteen numbers at a time. In an unnamed
// namespace, as the other files of this folder.
#include <immintrin.h>

#include "tensor/simd/whole_rows.h"

namespace holdfast::tensor {
namespace {

struct WholeRows512 {
  static int32_t greatest(const float* x, size_t count) {  // count: a multiple of 16
    const __m512i positive = _mm512_set1_epi32(0x7FFFFFFF);
    __m512i most = _mm512_setzero_si512(), other = most;
    size_t i = 0;
    for (; i + 32 <= count; i += 32) {
      most = _mm512_max_epi32(most, _mm512_and_si512(_mm512_loadu_si512(x + i), positive));
      other = _mm512_max_epi32(other, _mm512_and_si512(_mm512_loadu_si512(x + i + 16), positive));
    }
    if (i < count) most = _mm512_max_epi32(most, _mm512_and_si512(_mm512_loadu_si512(x + i), positive));
    return _mm512_reduce_max_epi32(_mm512_max_epi32(most, other));
  }

  // The sums of sixteen signed bytes, as bytes without sign, 128 more each.
  static int32_t total(__m128i bytes) {
    const __m128i halves = _mm_sad_epu8(_mm_xor_si128(bytes, _mm_set1_epi8(-128)), _mm_setzero_si128());
    return _mm_cvtsi128_si32(_mm_add_epi64(halves, _mm_unpackhi_epi64(halves, halves))) - 16 * 128;
  }

  // Sixteen numbers as two bytes each, in the low bytes of words.
  struct Bytes {
    __m512i first, fine;
  };
  static Bytes bytes(const float* x, float inverse) {
    const __m512 rounder = _mm512_set1_ps(12582912.0F);
    const __m512 less = _mm512_set1_ps(1.0F / static_cast<float>(whole_steps)),
                 steps = _mm512_set1_ps(static_cast<float>(whole_steps));
    const __m512 raised = _mm512_add_ps(_mm512_mul_ps(_mm512_loadu_ps(x), _mm512_set1_ps(inverse)), rounder);
    const __m512 whole = _mm512_sub_ps(raised, rounder);
    const __m512 part = _mm512_add_ps(_mm512_mul_ps(whole, less), rounder);
    const __m512 rest = _mm512_fnmadd_ps(_mm512_sub_ps(part, rounder), steps, whole);  // Exact.
    return {_mm512_castps_si512(part), _mm512_castps_si512(_mm512_add_ps(rest, rounder))};
  }

  static void sixteen(const float* x, float inverse, int8_t* first, int8_t* fine, int32_t* sums) {
    const Bytes own = bytes(x, inverse);
    const __m128i high = _mm512_cvtepi32_epi8(own.first), low = _mm512_cvtepi32_epi8(own.fine);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(first), high);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(fine), low);
    sums[0] = total(high);
    sums[1] = total(low);
  }

  // All 64 bytes in one register: first bytes in its low half, fine ones in the high one.
  static void thirty_two(const float* x, float inverse, int8_t* first, int8_t* fine, int32_t* sums) {
    const Bytes one = bytes(x, inverse), other = bytes(x + 16, inverse);
    __m512i all = _mm512_mask_blend_epi8(0x2222222222222222U, one.first, _mm512_slli_epi32(one.fine, 8));
    all = _mm512_mask_blend_epi8(0x4444444444444444U, all, _mm512_slli_epi32(other.first, 16));
    all = _mm512_mask_blend_epi8(0x8888888888888888U, all, _mm512_slli_epi32(other.fine, 24));
    // Four words of four bytes each become four words of a kind, then those of a kind stand together.
    const __m512i kinds =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
    const __m512i places = _mm512_setr_epi32(0, 4, 8, 12, 2, 6, 10, 14, 1, 5, 9, 13, 3, 7, 11, 15);
    all = _mm512_permutexvar_epi32(places, _mm512_shuffle_epi8(all, kinds));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(first), _mm512_castsi512_si256(all));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(fine), _mm512_extracti64x4_epi64(all, 1));
    // Sums of eight bytes without sign, 128 more each, then of all of a half.
    __m512i eight = _mm512_sad_epu8(_mm512_xor_si512(all, _mm512_set1_epi8(-128)), _mm512_setzero_si512());
    eight = _mm512_add_epi64(eight, _mm512_permutex_epi64(eight, 0x4E));
    eight = _mm512_add_epi64(eight, _mm512_shuffle_epi32(eight, _MM_PERM_BADC));
    sums[0] = _mm_cvtsi128_si32(_mm512_castsi512_si128(eight)) - 32 * 128;
    sums[1] = _mm_cvtsi128_si32(_mm512_extracti32x4_epi32(eight, 2)) - 32 * 128;
  }

  static void rows(const WholeQuantizeJob& job) {
    whole_rows_by(job, greatest,
                  [&](const float* x, float inverse, int8_t* first, int8_t* fine, int32_t* sums) {
                    job.group == 32 ? thirty_two(x, inverse, first, fine, sums)
                                    : sixteen(x, inverse, first, fine, sums);
                  });
  }
};

}  // namespace
}  // namespace holdfast::tensor
