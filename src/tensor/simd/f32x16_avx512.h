#pragma once

// Sixteen floats in one register. Included by kernels_avx512.cpp only.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace holdfast::tensor {
namespace {

struct F32x16Avx512 {
  __m512 v;

  static __mmask16 first(size_t count) { return static_cast<__mmask16>((1U << count) - 1U); }
  static F32x16Avx512 all(float x) { return {_mm512_set1_ps(x)}; }
  static F32x16Avx512 load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static F32x16Avx512 load_first(const float* p, size_t count, float rest) {  // count < 16
    return {_mm512_mask_loadu_ps(_mm512_set1_ps(rest), first(count), p)};
  }
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void store_first(float* p, size_t count) const { _mm512_mask_storeu_ps(p, first(count), v); }
  F32x16Avx512 keep_first(size_t count) const { return {_mm512_maskz_mov_ps(first(count), v)}; }

  // Zero in lanes where x is below the limit.
  F32x16Avx512 keep_where_at_least(F32x16Avx512 x, float limit) const {
    return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x.v, _mm512_set1_ps(limit), _CMP_GE_OQ), v)};
  }
  // The high halves of a in the low halves of the words, those of b in the high ones.
  static void store_pairs(F32x16Avx512 a, F32x16Avx512 b, void* p) {
    const __m512i low = _mm512_srli_epi32(_mm512_castps_si512(a.v), 16);
    _mm512_storeu_si512(p, _mm512_or_si512(low, _mm512_castps_si512(b.v)));
  }
  // Sixteen rows of sixteen words, `stride` words apart, into sixteen lines.
  static void transpose(const uint32_t* in, size_t stride, std::byte* out) {
    __m512i a[16], b[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(in + i * stride);
#pragma GCC unroll 8
    for (int i = 0; i < 16; i += 2) {
      b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
      b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 16; i += 4) {
      a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
      a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
      a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
      a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
    }
    // a[4g + j]: words j of rows 4g to 4g + 3, and words j + 4, j + 8, j + 12 in the higher quarters.
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const __m512i low = _mm512_shuffle_i32x4(a[j], a[4 + j], 0x88),
                    low_odd = _mm512_shuffle_i32x4(a[j], a[4 + j], 0xDD),
                    high = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0x88),
                    high_odd = _mm512_shuffle_i32x4(a[8 + j], a[12 + j], 0xDD);
      _mm512_storeu_si512(out + 64 * j, _mm512_shuffle_i32x4(low, high, 0x88));
      _mm512_storeu_si512(out + 64 * (j + 4), _mm512_shuffle_i32x4(low_odd, high_odd, 0x88));
      _mm512_storeu_si512(out + 64 * (j + 8), _mm512_shuffle_i32x4(low, high, 0xDD));
      _mm512_storeu_si512(out + 64 * (j + 12), _mm512_shuffle_i32x4(low_odd, high_odd, 0xDD));
    }
  }

  friend F32x16Avx512 operator+(F32x16Avx512 a, F32x16Avx512 b) { return {_mm512_add_ps(a.v, b.v)}; }
  friend F32x16Avx512 operator-(F32x16Avx512 a, F32x16Avx512 b) { return {_mm512_sub_ps(a.v, b.v)}; }
  friend F32x16Avx512 operator*(F32x16Avx512 a, F32x16Avx512 b) { return {_mm512_mul_ps(a.v, b.v)}; }
  friend F32x16Avx512 operator/(F32x16Avx512 a, F32x16Avx512 b) { return {_mm512_div_ps(a.v, b.v)}; }
  // a * b + c, rounded once.
  static F32x16Avx512 fma(F32x16Avx512 a, F32x16Avx512 b, F32x16Avx512 c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
  }
  static F32x16Avx512 max(F32x16Avx512 a, F32x16Avx512 b) { return {_mm512_max_ps(a.v, b.v)}; }
  static F32x16Avx512 min(F32x16Avx512 a, F32x16Avx512 b) { return {_mm512_min_ps(a.v, b.v)}; }
  // The lesser of |a| and |b|.
  static F32x16Avx512 least_magnitude(F32x16Avx512 a, F32x16Avx512 b) {
    return {_mm512_range_ps(a.v, b.v, 0b1010)};
  }
  F32x16Avx512 round() const {
    return {_mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  static F32x16Avx512 load_half(const std::byte* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  // Sixteen codes of four bits, the low halves (which 0) or the high ones of sixteen bytes, or signed bytes.
  template <size_t bits>
  static F32x16Avx512 codes(const std::byte* p, size_t which) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    if constexpr (bits == 8) return {_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes))};
    // The permutation reads the low four bits of an index only.
    const __m512i wide = _mm512_cvtepu8_epi32(bytes);
    const __m512 numbers = _mm512_setr_ps(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    return {_mm512_permutexvar_ps(which == 0 ? wide : _mm512_srli_epi32(wide, 4), numbers)};
  }
  static F32x16Avx512 of_whole(const int32_t* p) { return {_mm512_cvtepi32_ps(_mm512_loadu_si512(p))}; }
  // Rounded, from 0 to 255, as bytes; what is no number is 0.
  void store_bytes(uint8_t* p) const {
    const __m512i whole = _mm512_max_epi32(_mm512_cvtps_epi32(v), _mm512_setzero_si512());
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtusepi32_epi8(whole));
  }
  static void store_bytes(F32x16Avx512 a, F32x16Avx512 b, F32x16Avx512 c, F32x16Avx512 d, uint8_t* p) {
    const __m512i left = _mm512_packs_epi32(_mm512_cvtps_epi32(a.v), _mm512_cvtps_epi32(b.v)),
                  right = _mm512_packs_epi32(_mm512_cvtps_epi32(c.v), _mm512_cvtps_epi32(d.v));
    // Each quarter of the register has four bytes of each of the four.
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    _mm512_storeu_si512(p, _mm512_permutexvar_epi32(order, _mm512_packus_epi16(left, right)));
  }
  // Rounded to the nearest bfloat16, ties to even; not-a-number stays one.
  F32x16Avx512 rounded_bf16() const {
    const __m512i bits = _mm512_castps_si512(v);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    const __mmask16 number = _mm512_cmp_ps_mask(v, v, _CMP_ORD_Q);
    const __m512i out = _mm512_mask_mov_epi32(_mm512_set1_epi32(0x7FC00000), number, up);
    return {_mm512_castsi512_ps(_mm512_and_si512(out, _mm512_set1_epi32(static_cast<int>(0xFFFF0000U))))};
  }
  // The high halves: bfloat16 of numbers rounded to it.
  void store_bf16(uint16_t* p) const {
    const __m512i high = _mm512_srli_epi32(_mm512_castps_si512(v), 16);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(high));
  }
  // Rounded and stored; two at once in the halves of words.
  void store_as_bf16(uint16_t* p) const { rounded_bf16().store_bf16(p); }
  static void store_as_pairs(F32x16Avx512 a, F32x16Avx512 b, void* p) {
    store_pairs(a.rounded_bf16(), b.rounded_bf16(), p);
  }
  // Times 2 to the power of a whole number in [-126, 127].
  F32x16Avx512 times_exp2(F32x16Avx512 n) const { return {_mm512_scalef_ps(v, n.v)}; }

  // Halves are added: 16 lanes to 8, to 4, to 2, to 1. The AVX2 twin does the same.
  float sum() const {
    const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(four, _mm_shuffle_ps(four, four, 1)));
  }
  float peak() const { return _mm512_reduce_max_ps(v); }
  float least() const { return _mm512_reduce_min_ps(v); }
};

}  // namespace
}  // namespace holdfast::tensor
