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

  static void group(const float* x, size_t count, float inverse, int8_t* first, int8_t* fine, int32_t* sums) {
    const __m512 by = _mm512_set1_ps(inverse), rounder = _mm512_set1_ps(12582912.0F);
    const __m512 less = _mm512_set1_ps(1.0F / static_cast<float>(whole_steps)),
                 steps = _mm512_set1_ps(static_cast<float>(whole_steps));
    int32_t high_sum = 0, low_sum = 0;
    for (size_t i = 0; i < count; i += 16) {
      const __m512 raised = _mm512_add_ps(_mm512_mul_ps(_mm512_loadu_ps(x + i), by), rounder);
      const __m512 whole = _mm512_sub_ps(raised, rounder);
      const __m512 part = _mm512_add_ps(_mm512_mul_ps(whole, less), rounder);
      const __m512 rest = _mm512_fnmadd_ps(_mm512_sub_ps(part, rounder), steps, whole);  // Exact.
      // The numbers are in the low bytes.
      const __m128i high = _mm512_cvtepi32_epi8(_mm512_castps_si512(part));
      const __m128i low = _mm512_cvtepi32_epi8(_mm512_castps_si512(_mm512_add_ps(rest, rounder)));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(first + i), high);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(fine + i), low);
      high_sum += total(high);
      low_sum += total(low);
    }
    sums[0] = high_sum;
    sums[1] = low_sum;
  }

  static void rows(const WholeQuantizeJob& job) {
    whole_rows_by(job, greatest,
                  [&](const float* x, float inverse, int8_t* first, int8_t* fine, int32_t* sums) {
                    job.group == 32 ? group(x, 32, inverse, first, fine, sums)
                                    : group(x, 16, inverse, first, fine, sums);
                  });
  }
};

}  // namespace
}  // namespace holdfast::tensor
