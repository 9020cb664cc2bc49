#pragma once

// Sixteen floats in two registers. Included by kernels_avx2.cpp only.
#include <immintrin.h>

#include <cstddef>

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
  F32x16Avx2 round() const {
    return {_mm256_round_ps(low, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC),
            _mm256_round_ps(high, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  // 2 to the power of a whole number in [-126, 127].
  F32x16Avx2 exp2_whole() const { return {exp2_of(low), exp2_of(high)}; }

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

 private:
  static __m256 exp2_of(__m256 x) {
    const __m256i n = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(n, 23));
  }
};

}  // namespace
}  // namespace holdfast::tensor
