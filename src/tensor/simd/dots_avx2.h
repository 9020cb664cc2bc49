#pragma once

// Sixteen sums in two registers. Step: what one instruction set does for four products of bytes.
#include <immintrin.h>

#include <cstring>

#include "tensor/block_bytes.h"

namespace holdfast::tensor {
namespace {

template <class Step>
struct Dots256 {
  struct V {
    __m256 low, high;
  };
  struct Sum {
    __m256i low, high;
  };
  using Line = Sum;
  static constexpr size_t wide_of_one = 2, wide = 1, rows = 3;
  static constexpr int32_t byte_zero = 0;

  static V nothing() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
  static V all(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
  static V times(V a, V b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
  static V fma(V a, V b, V c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  static __m128i load(const std::byte* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); }
  static V halves(const std::byte* at) { return {_mm256_cvtph_ps(load(at)), _mm256_cvtph_ps(load(at + 16))}; }
  static V singles(const std::byte* at) {
    const auto* p = reinterpret_cast<const float*>(at);
    return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
  }
  static V bytes(const std::byte* at) {
    const __m128i all = load(at);
    return {_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(all)),
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(all, all)))};
  }
  static V floats(Sum sum) { return {_mm256_cvtepi32_ps(sum.low), _mm256_cvtepi32_ps(sum.high)}; }
  template <size_t bits>
  static Sum stepped(Sum sum, int32_t more) {
    const __m256i first = _mm256_set1_epi32(more);
    if constexpr (bits == 4)
      return {_mm256_add_epi32(_mm256_slli_epi32(sum.low, 4), first),
              _mm256_add_epi32(_mm256_slli_epi32(sum.high, 4), first)};
    const __m256i by = _mm256_set1_epi32(254);
    return {_mm256_add_epi32(_mm256_mullo_epi32(sum.low, by), first),
            _mm256_add_epi32(_mm256_mullo_epi32(sum.high, by), first)};
  }
  static void store(float* to, V v) {
    _mm256_storeu_ps(to, v.low);
    _mm256_storeu_ps(to + 8, v.high);
  }
  static Sum begin(int32_t x) { return {_mm256_set1_epi32(x), _mm256_set1_epi32(x)}; }
  template <size_t bits>
  static constexpr bool gathers = bits == 4 && Step::gathers;
  template <size_t bits>
  static Line line(const std::byte* at, size_t half) {
    const auto* p = reinterpret_cast<const __m256i*>(at);
    const __m256i low = _mm256_loadu_si256(p), high = _mm256_loadu_si256(p + 1);
    if constexpr (bits == 8) return {low, high};
    const __m256i mask = _mm256_set1_epi8(15);
    if (half == 0) return {_mm256_and_si256(low, mask), _mm256_and_si256(high, mask)};
    return {_mm256_and_si256(_mm256_srli_epi16(low, 4), mask),
            _mm256_and_si256(_mm256_srli_epi16(high, 4), mask)};
  }
  static __m256i word(const int8_t* at) {
    int32_t bits;
    std::memcpy(&bits, at, 4);
    return _mm256_set1_epi32(bits);
  }
  template <size_t bits>
  static Sum add(Sum sum, Line line, __m256i word) {
    // Signed codes give their sign to the row: |code| <= 128 and two products of it stay below 2^15.
    if constexpr (bits == 8)
      return {Step::add(sum.low, _mm256_abs_epi8(line.low), _mm256_sign_epi8(word, line.low)),
              Step::add(sum.high, _mm256_abs_epi8(line.high), _mm256_sign_epi8(word, line.high))};
    if constexpr (gathers<bits>)
      return {Step::add_pairs(sum.low, line.low, word), Step::add_pairs(sum.high, line.high, word)};
    return {Step::add(sum.low, line.low, word), Step::add(sum.high, line.high, word)};
  }
  // What whole_dots.h needs.
  static constexpr size_t whole_wide_of_one = 2, whole_wide = 1, whole_rows = 2;
  static Sum words(const std::byte* at) {
    const auto* p = reinterpret_cast<const __m256i*>(at);
    return {_mm256_loadu_si256(p), _mm256_loadu_si256(p + 1)};
  }
  // The low half of a sum beside `high`, as two numbers of 16 bits.
  static Sum beside(Sum low, int32_t high) {
    const __m256i upper = _mm256_set1_epi32(static_cast<int32_t>(static_cast<uint32_t>(high) << 16));
    return {_mm256_blend_epi16(low.low, upper, 0xAA), _mm256_blend_epi16(low.high, upper, 0xAA)};
  }
  // The sum of the products of both halves.
  static Sum add_pairs(Sum sum, Sum a, Sum b) {
    return {_mm256_add_epi32(sum.low, _mm256_madd_epi16(a.low, b.low)),
            _mm256_add_epi32(sum.high, _mm256_madd_epi16(a.high, b.high))};
  }
  static Sum gathered(Sum sum, Sum pairs) {
    return {Step::gathered(sum.low, pairs.low), Step::gathered(sum.high, pairs.high)};
  }
};

// Codes of four bits: eight times two products of at most 15 * 127 stay below 2^15, a whole group.
struct PairSteps {
  static constexpr bool gathers = true;
  static __m256i add_pairs(__m256i pairs, __m256i codes, __m256i word) {
    return _mm256_add_epi16(pairs, _mm256_maddubs_epi16(codes, word));
  }
  static __m256i gathered(__m256i sum, __m256i pairs) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static __m256i add(__m256i sum, __m256i codes, __m256i word) {
    const __m256i pairs = _mm256_maddubs_epi16(codes, word);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
};

}  // namespace
}  // namespace holdfast::tensor
