#pragma once

// whole_rows.h by registers of 256 bits, operation by operation, eight numbers at a time. In an unnamed
// namespace, as the other files of this folder.
#include <immintrin.h>

#include "tensor/simd/whole_rows.h"

namespace holdfast::tensor {
namespace {

struct WholeRounding256 {
  static int32_t greatest(const float* x, size_t count) {  // count: a multiple of 16
    const __m256i positive = _mm256_set1_epi32(0x7FFFFFFF);
    const auto at = [&](size_t i) {
      return _mm256_and_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i)), positive);
    };
    __m256i most = _mm256_setzero_si256(), other = most;
    for (size_t i = 0; i < count; i += 16) {
      most = _mm256_max_epi32(most, at(i));
      other = _mm256_max_epi32(other, at(i + 8));
    }
    most = _mm256_max_epi32(most, other);
    __m128i half = _mm_max_epi32(_mm256_castsi256_si128(most), _mm256_extracti128_si256(most, 1));
    half = _mm_max_epi32(half, _mm_shuffle_epi32(half, 0x4E));
    return _mm_cvtsi128_si32(_mm_max_epi32(half, _mm_shuffle_epi32(half, 0xB1)));
  }

  // Eight numbers as two bytes each, alone in their words.
  struct Bytes {
    __m256i first, fine;
  };
  static Bytes bytes(const float* x, float inverse) {
    const __m256 rounder = _mm256_set1_ps(12582912.0F);
    const __m256 less = _mm256_set1_ps(1.0F / static_cast<float>(whole_steps)),
                 steps = _mm256_set1_ps(static_cast<float>(whole_steps));
    const __m256i low_byte = _mm256_set1_epi32(255);
    const __m256 raised = _mm256_add_ps(_mm256_mul_ps(_mm256_loadu_ps(x), _mm256_set1_ps(inverse)), rounder);
    const __m256 whole = _mm256_sub_ps(raised, rounder);
    const __m256 part = _mm256_add_ps(_mm256_mul_ps(whole, less), rounder);
    const __m256 rest = _mm256_fnmadd_ps(_mm256_sub_ps(part, rounder), steps, whole);  // Exact.
    return {_mm256_and_si256(_mm256_castps_si256(part), low_byte),
            _mm256_and_si256(_mm256_castps_si256(_mm256_add_ps(rest, rounder)), low_byte)};
  }

  // The sum of signed bytes, as bytes without sign, 128 more each.
  static int32_t total(__m128i bytes) {
    const __m128i halves = _mm_sad_epu8(_mm_xor_si128(bytes, _mm_set1_epi8(-128)), _mm_setzero_si128());
    return _mm_cvtsi128_si32(_mm_add_epi64(halves, _mm_unpackhi_epi64(halves, halves))) - 16 * 128;
  }
  static int32_t total(__m256i bytes) {
    const __m256i four =
        _mm256_sad_epu8(_mm256_xor_si256(bytes, _mm256_set1_epi8(-128)), _mm256_setzero_si256());
    const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four), _mm256_extracti128_si256(four, 1));
    return _mm_cvtsi128_si32(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two))) - 32 * 128;
  }

  static void sixteen(const float* x, float inverse, int8_t* first, int8_t* fine, int32_t* sums) {
    const Bytes a = bytes(x, inverse), b = bytes(x + 8, inverse);
    const auto put = [](__m256i low, __m256i high, int8_t* to) {
      const __m256i halves = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0xD8);
      const __m128i all =
          _mm_packus_epi16(_mm256_castsi256_si128(halves), _mm256_extracti128_si256(halves, 1));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), all);
      return total(all);
    };
    sums[0] = put(a.first, b.first, first);
    sums[1] = put(a.fine, b.fine, fine);
  }

  static void thirty_two(const float* x, float inverse, int8_t* first, int8_t* fine, int32_t* sums) {
    const Bytes a = bytes(x, inverse), b = bytes(x + 8, inverse), c = bytes(x + 16, inverse),
                d = bytes(x + 24, inverse);
    const auto put = [](__m256i one, __m256i two, __m256i three, __m256i four, int8_t* to) {
      // Words of four bytes: the lower four of each register, then the upper ones.
      const __m256i mixed =
          _mm256_packus_epi16(_mm256_packus_epi32(one, two), _mm256_packus_epi32(three, four));
      const __m256i all = _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), all);
      return total(all);
    };
    sums[0] = put(a.first, b.first, c.first, d.first, first);
    sums[1] = put(a.fine, b.fine, c.fine, d.fine, fine);
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
