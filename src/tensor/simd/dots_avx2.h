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
  static Sum gathered(Sum sum, Sum pairs) {
    return {Step::gathered(sum.low, pairs.low), Step::gathered(sum.high, pairs.high)};
  }
};

// Codes of four bits: eight times two products of at most 15 * 127 stay below 2^15, a whole group. Some steps
// are text, since compilers put a group's products into memory to add them in another order; two products
// before their additions are faster than one after the other.
struct PairSteps {
  using Sum = __m256i;
  static constexpr bool gathers = true;
  static Sum add_pairs(Sum pairs, Sum codes, Sum word) {
    return _mm256_add_epi16(pairs, _mm256_maddubs_epi16(codes, word));
  }
  static Sum gathered(Sum sum, Sum pairs) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }
  static Sum add(Sum sum, Sum codes, Sum word) {
    const Sum pairs = _mm256_maddubs_epi16(codes, word);
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
  }

  // What whole_rows_avx2.h and block_rows_avx2.h need. A group's sum of products of bytes begins with
  // `bytes`, goes on with the others, for two lines or two words, and meets `steps` of its outputs' words.
  static Sum bytes(Sum codes, Sum word) { return _mm256_maddubs_epi16(codes, word); }
  static void add_bytes(Sum (&sums)[2], Sum low, Sum high, Sum word) {
    Sum products;
    asm("vpmaddubsw %3, %4, %2\n\tvpmaddubsw %3, %5, %3\n\tvpaddw %2, %0, %0\n\tvpaddw %3, %1, %1"
        : "+x"(sums[0]), "+x"(sums[1]), "=&x"(products), "+x"(word)
        : "x"(low), "x"(high));
  }
  static void add_both_bytes(Sum (&sums)[2], Sum codes, Sum first, Sum fine) {
    asm("vpmaddubsw %2, %4, %2\n\tvpmaddubsw %3, %4, %3\n\tvpaddw %2, %0, %0\n\tvpaddw %3, %1, %1"
        : "+x"(sums[0]), "+x"(sums[1]), "+&x"(first), "+x"(fine)
        : "x"(codes));
  }
  static Sum steps(Sum words) { return _mm256_blend_epi16(words, _mm256_slli_epi32(words, 16), 0xAA); }
  // Products of pairs of 16 bits.
  static void add_pairs(Sum& low_sum, Sum& high_sum, Sum low, Sum high, Sum by_low, Sum by_high) {
    asm("vpmaddwd %4, %2, %2\n\tvpmaddwd %5, %3, %3\n\tvpaddd %2, %0, %0\n\tvpaddd %3, %1, %1"
        : "+x"(low_sum), "+x"(high_sum), "+&x"(low), "+x"(high)
        : "xm"(by_low), "xm"(by_high));
  }
  static void add_pairs(Sum (&sums)[2], Sum low, Sum high, Sum pair) {
    Sum products;
    asm("vpmaddwd %3, %4, %2\n\tvpmaddwd %3, %5, %3\n\tvpaddd %2, %0, %0\n\tvpaddd %3, %1, %1"
        : "+x"(sums[0]), "+x"(sums[1]), "=&x"(products), "+x"(pair)
        : "x"(low), "x"(high));
  }
};

}  // namespace
}  // namespace holdfast::tensor
