#pragma once

// Sixteen floats in one register on machines that round to bfloat16 by an instruction. It takes subnormal
// numbers for zero, as the products of these machines do.
#include "tensor/simd/f32x16_avx512.h"

namespace holdfast::tensor {
namespace {

struct F32x16Bf16 : F32x16Avx512 {
  F32x16Bf16() = default;
  F32x16Bf16(F32x16Avx512 base) : F32x16Avx512(base) {}

  void store_as_bf16(uint16_t* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
  }
  static void store_as_pairs(F32x16Avx512 a, F32x16Avx512 b, void* p) {
    const __m512i low = _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(a.v))),
                  high = _mm512_cvtepu16_epi32(reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(b.v)));
    _mm512_storeu_si512(p, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
};

}  // namespace
}  // namespace holdfast::tensor
