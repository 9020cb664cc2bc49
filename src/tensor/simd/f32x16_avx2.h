#pragma once

// Sixteen floats in two registers. Included by kernels_avx2.cpp only.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace holdfast::tensor {
namespace {

struct F32x16Avx2 {
  __m256 low, high;

  // Lanes i of eight with i + from < count.
  static __m256i first(size_t count, int from) {
    const __m256i lane = _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(from));
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), lane);
  }
  static F32x16Avx2 all(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static F32x16Avx2 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
  static F32x16Avx2 load_first(const float* p, size_t count, float rest) {  // count < 16
    const __m256i a = first(count, 0), b = first(count, 8);
    const __m256 fill = _mm256_set1_ps(rest);
    return {_mm256_blendv_ps(fill, _mm256_maskload_ps(p, a), _mm256_castsi256_ps(a)),
            _mm256_blendv_ps(fill, _mm256_maskload_ps(p + 8, b), _mm256_castsi256_ps(b))};
  }
  void store(float* p) const {
    _mm256_storeu_ps(p, low);
    _mm256_storeu_ps(p + 8, high);
  }
  void store_first(float* p, size_t count) const {
    _mm256_maskstore_ps(p, first(count, 0), low);
    _mm256_maskstore_ps(p + 8, first(count, 8), high);
  }
  F32x16Avx2 keep_first(size_t count) const {
    return {_mm256_and_ps(low, _mm256_castsi256_ps(first(count, 0))),
            _mm256_and_ps(high, _mm256_castsi256_ps(first(count, 8)))};
  }

  // Zero in lanes where x is below the limit.
  F32x16Avx2 keep_where_at_least(F32x16Avx2 x, float limit) const {
    const __m256 least = _mm256_set1_ps(limit);
    return {_mm256_and_ps(low, _mm256_cmp_ps(x.low, least, _CMP_GE_OQ)),
            _mm256_and_ps(high, _mm256_cmp_ps(x.high, least, _CMP_GE_OQ))};
  }
  // The high halves of a in the low halves of the words, those of b in the high ones.
  static void store_pairs(F32x16Avx2 a, F32x16Avx2 b, void* p) {
    auto* out = static_cast<__m256i*>(p);
    const __m256i first = _mm256_srli_epi32(_mm256_castps_si256(a.low), 16),
                  second = _mm256_srli_epi32(_mm256_castps_si256(a.high), 16);
    _mm256_storeu_si256(out, _mm256_or_si256(first, _mm256_castps_si256(b.low)));
    _mm256_storeu_si256(out + 1, _mm256_or_si256(second, _mm256_castps_si256(b.high)));
  }
  // Sixteen rows of sixteen words, `stride` words apart, into sixteen lines.
  static void transpose(const uint32_t* in, size_t stride, std::byte* out) {
    for (size_t part = 0; part < 4; ++part) {  // Eight rows by eight words.
      const size_t row = part % 2 * 8, word = part / 2 * 8;
      __m256 a[8], b[8];
#pragma GCC unroll 8
      for (size_t i = 0; i < 8; ++i)
        a[i] = _mm256_loadu_ps(reinterpret_cast<const float*>(in + (row + i) * stride + word));
#pragma GCC unroll 4
      for (size_t i = 0; i < 8; i += 2) {
        b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
      }
#pragma GCC unroll 2
      for (size_t i = 0; i < 8; i += 4) {
        a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
        a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xEE);
        a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
        a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xEE);
      }
#pragma GCC unroll 4
      for (size_t i = 0; i < 4; ++i) {
        auto* line = reinterpret_cast<float*>(out + 64 * (word + i)) + row;
        _mm256_storeu_ps(line, _mm256_permute2f128_ps(a[i], a[4 + i], 0x20));
        _mm256_storeu_ps(line + 4 * 16, _mm256_permute2f128_ps(a[i], a[4 + i], 0x31));
      }
    }
  }

  friend F32x16Avx2 operator+(F32x16Avx2 a, F32x16Avx2 b) {
    return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)};
  }
  friend F32x16Avx2 operator-(F32x16Avx2 a, F32x16Avx2 b) {
    return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)};
  }
  friend F32x16Avx2 operator*(F32x16Avx2 a, F32x16Avx2 b) {
    return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)};
  }
  friend F32x16Avx2 operator/(F32x16Avx2 a, F32x16Avx2 b) {
    return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)};
  }
  // a * b + c, rounded once.
  static F32x16Avx2 fma(F32x16Avx2 a, F32x16Avx2 b, F32x16Avx2 c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  static F32x16Avx2 max(F32x16Avx2 a, F32x16Avx2 b) {
    return {_mm256_max_ps(a.low, b.low), _mm256_max_ps(a.high, b.high)};
  }
  static F32x16Avx2 min(F32x16Avx2 a, F32x16Avx2 b) {
    return {_mm256_min_ps(a.low, b.low), _mm256_min_ps(a.high, b.high)};
  }
  // The lesser of |a| and |b|.
  static F32x16Avx2 least_magnitude(F32x16Avx2 a, F32x16Avx2 b) {
    const __m256 bits = _mm256_castsi256_ps(_mm256_set1_epi32(0x7FFFFFFF));
    return {_mm256_min_ps(_mm256_and_ps(a.low, bits), _mm256_and_ps(b.low, bits)),
            _mm256_min_ps(_mm256_and_ps(a.high, bits), _mm256_and_ps(b.high, bits))};
  }
  F32x16Avx2 round() const {
    return {_mm256_round_ps(low, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
            _mm256_round_ps(high, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  static F32x16Avx2 load_half(const std::byte* p) {
    const auto* halves = reinterpret_cast<const __m128i*>(p);
    return {_mm256_cvtph_ps(_mm_loadu_si128(halves)), _mm256_cvtph_ps(_mm_loadu_si128(halves + 1))};
  }
  // Sixteen codes of four bits, the low halves (which 0) or the high ones of sixteen bytes, or signed bytes.
  template <size_t bits>
  static F32x16Avx2 codes(const std::byte* p, size_t which) {
    __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    if constexpr (bits == 4) {
      if (which != 0) bytes = _mm_srli_epi16(bytes, 4);
      bytes = _mm_and_si128(bytes, _mm_set1_epi8(15));
    }
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)),
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_srli_si128(bytes, 8)))};
  }
  static F32x16Avx2 of_whole(const int32_t* p) {
    const auto* eights = reinterpret_cast<const __m256i*>(p);
    return {_mm256_cvtepi32_ps(_mm256_loadu_si256(eights)),
            _mm256_cvtepi32_ps(_mm256_loadu_si256(eights + 1))};
  }
  // Rounded, from 0 to 255, as bytes; what is no number is 0.
  void store_bytes(uint8_t* p) const {
    const __m256i words =
        _mm256_permute4x64_epi64(_mm256_packs_epi32(_mm256_cvtps_epi32(low), _mm256_cvtps_epi32(high)), 0xD8);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p),
                     _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  }
  static void store_bytes(F32x16Avx2 a, F32x16Avx2 b, F32x16Avx2 c, F32x16Avx2 d, uint8_t* p) {
    a.store_bytes(p);
    b.store_bytes(p + 16);
    c.store_bytes(p + 32);
    d.store_bytes(p + 48);
  }
  // Rounded to the nearest bfloat16, ties to even; not-a-number stays one.
  F32x16Avx2 rounded_bf16() const { return {rounded_eight(low), rounded_eight(high)}; }
  // The high halves: bfloat16 of numbers rounded to it.
  void store_bf16(uint16_t* p) const {
    const __m256i words =
        _mm256_permute4x64_epi64(_mm256_packus_epi32(_mm256_srli_epi32(_mm256_castps_si256(low), 16),
                                                     _mm256_srli_epi32(_mm256_castps_si256(high), 16)),
                                 0xD8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), words);
  }
  // Rounded and stored; two at once in the halves of words.
  void store_as_bf16(uint16_t* p) const { rounded_bf16().store_bf16(p); }
  static void store_as_pairs(F32x16Avx2 a, F32x16Avx2 b, void* p) {
    store_pairs(a.rounded_bf16(), b.rounded_bf16(), p);
  }
  // Times 2 to the power of a whole number in [-126, 127].
  F32x16Avx2 times_exp2(F32x16Avx2 n) const {
    return {_mm256_mul_ps(low, exp2_of(n.low)), _mm256_mul_ps(high, exp2_of(n.high))};
  }

  // Halves are added: 16 lanes to 8, to 4, to 2, to 1. The AVX-512 twin does the same.
  float sum() const {
    const __m256 eight = _mm256_add_ps(low, high);
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
  }
  float peak() const {
    const __m256 eight = _mm256_max_ps(low, high);
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_shuffle_ps(four, four, 1)));
  }
  float least() const {
    const __m256 eight = _mm256_min_ps(low, high);
    __m128 four = _mm_min_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_min_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_min_ss(four, _mm_shuffle_ps(four, four, 1)));
  }

 private:
  static __m256 rounded_eight(__m256 x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
    const __m256 out = _mm256_blendv_ps(_mm256_castsi256_ps(_mm256_set1_epi32(0x7FC00000)),
                                        _mm256_castsi256_ps(up), _mm256_cmp_ps(x, x, _CMP_ORD_Q));
    return _mm256_and_ps(out, _mm256_castsi256_ps(_mm256_set1_epi32(static_cast<int>(0xFFFF0000U))));
  }
  static __m256 exp2_of(__m256 x) {
    const __m256i n = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(n, 23));
  }
};

}  // namespace
}  // namespace holdfast::tensor
