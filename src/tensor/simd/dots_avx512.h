#pragma once

// Sixteen sums in one register, four products a step (VNNI).
#include <immintrin.h>

#include <cstring>

#include "tensor/block_bytes.h"

namespace holdfast::tensor {
namespace {

struct Dots512 {
  using V = __m512;
  using Sum = __m512i;
  using Line = __m512i;
  static constexpr size_t wide_of_one = 4, wide = 2, rows = 6;
  static constexpr int32_t byte_zero = 128;  // Bytes are read without sign, 128 more.

  static V nothing() { return _mm512_setzero_ps(); }
  static V all(float x) { return _mm512_set1_ps(x); }
  static V times(V a, V b) { return _mm512_mul_ps(a, b); }
  static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
  static V halves(const std::byte* at) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
  }
  static V singles(const std::byte* at) { return _mm512_loadu_ps(at); }
  static V bytes(const std::byte* at) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))));
  }
  // The low and the high halves of 64 bytes, less `zero`.
  static void split(const std::byte* at, int8_t zero, int8_t* low, int8_t* high) {
    const __m512i all = _mm512_loadu_si512(at), off = _mm512_set1_epi8(zero), mask = _mm512_set1_epi8(15);
    _mm512_storeu_si512(low, _mm512_sub_epi8(_mm512_and_si512(all, mask), off));
    _mm512_storeu_si512(high, _mm512_sub_epi8(_mm512_and_si512(_mm512_srli_epi16(all, 4), mask), off));
  }
  static V whole(const int32_t* at) { return _mm512_cvtepi32_ps(_mm512_loadu_si512(at)); }
  static V floats(Sum sum) { return _mm512_cvtepi32_ps(sum); }
  template <size_t bits>
  static Sum stepped(Sum sum, int32_t more) {
    const __m512i first = _mm512_set1_epi32(more);
    if constexpr (bits == 4) return _mm512_add_epi32(_mm512_slli_epi32(sum, 4), first);
    return _mm512_add_epi32(_mm512_mullo_epi32(sum, _mm512_set1_epi32(254)), first);
  }
  static void store(float* to, V v) { _mm512_storeu_ps(to, v); }
  static Sum begin(int32_t x) { return _mm512_set1_epi32(x); }
  template <size_t bits>
  static constexpr bool gathers = false;
  template <size_t bits>
  static Line line(const std::byte* at, size_t half) {
    const __m512i all = _mm512_loadu_si512(at);
    if constexpr (bits == 8) return _mm512_xor_si512(all, _mm512_set1_epi8(static_cast<char>(-128)));
    return _mm512_and_si512(half == 0 ? all : _mm512_srli_epi16(all, 4), _mm512_set1_epi8(15));
  }
  static __m512i word(const int8_t* at) {
    int32_t bits;
    std::memcpy(&bits, at, 4);
    return _mm512_set1_epi32(bits);
  }
  template <size_t bits>
  static Sum add(Sum sum, Line line, __m512i word) {
    return _mm512_dpbusd_epi32(sum, line, word);
  }

  // What whole_tiles_amx.h needs.
  struct Spread {
    __m512i step, least;  // In both halves of each word: a weight's step, and what code 0 stands for.
  };
  static Spread spread(const std::byte* at) {
    const __m512i all = _mm512_loadu_si512(at);
    const __m512i step = _mm512_mask_blend_epi16(0xAAAAAAAAU, all, _mm512_slli_epi32(all, 16));
    const __m512i middle = _mm512_mask_blend_epi16(0xAAAAAAAAU, _mm512_srli_epi32(all, 16), all);
    return {step, _mm512_sub_epi16(middle, _mm512_slli_epi16(step, 3))};
  }
  // The weights of 64 bytes of codes, those of the low halves and of the high ones: first bytes, with their
  // sign, and last ones, without.
  static void two_bytes(const Spread& of, const std::byte* at, int8_t* low, int8_t* low_last, int8_t* high,
                        int8_t* high_last) {
    const __m512i all = _mm512_loadu_si512(at), mask = _mm512_set1_epi16(15);
    const auto weight = [&](__m512i codes) {
      return _mm512_add_epi16(_mm512_mullo_epi16(codes, of.step), of.least);
    };
    const auto put = [](__m512i even, __m512i odd, int8_t* first, int8_t* last) {
      constexpr uint64_t odds = 0xAAAAAAAAAAAAAAAAU;
      // Moved by a byte as they are put beside each other: one instruction, where shift and blend are two.
      _mm512_storeu_si512(first, _mm512_mask_alignr_epi8(odd, ~odds, even, even, 1));
      _mm512_storeu_si512(last, _mm512_mask_alignr_epi8(even, odds, odd, odd, 15));
    };
    put(weight(_mm512_and_si512(all, mask)), weight(_mm512_and_si512(_mm512_srli_epi16(all, 8), mask)), low,
        low_last);
    put(weight(_mm512_and_si512(_mm512_srli_epi16(all, 4), mask)), weight(_mm512_srli_epi16(all, 12)), high,
        high_last);
  }
  static Sum shifted_sum(const int32_t* first, const int32_t* last) {
    return _mm512_add_epi32(_mm512_slli_epi32(_mm512_loadu_si512(first), 8), _mm512_loadu_si512(last));
  }
};

}  // namespace
}  // namespace holdfast::tensor
