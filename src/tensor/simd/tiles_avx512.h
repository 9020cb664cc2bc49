#pragma once

// Sums of rows and strips in 512-bit registers, written once for a step `Dot` of one precision: the line of a
// strip fills a register. In an unnamed namespace, as each including file is compiled for its own instruction
// set.
#include <immintrin.h>

#include <algorithm>
#include <cstddef>

#include "tensor/products.h"

namespace holdfast::tensor {
namespace {

// Dot: `Sum` (a register of sixteen sums), `words` a step, zero(), part(line, w): what word w of a row meets,
// and add(sum, word, part): for whole numbers as text, since by intrinsics g++ 12 copies a sum's register at
// each step, and of a tile with as many sums as registers puts half into memory.
template <class Dot>
struct Tiles512 {
  // Twelve rows by two strips: 24 independent sums hide the latency of the units and leave registers for two
  // lines and a word. With few rows, as many strips as give about as many sums.
  static constexpr size_t rows_most = 12;

  // `ahead`: where this tile begins to fetch what is read soon, `ahead_bytes` a step.
  template <size_t R, size_t C>
  static void tile(const SumsJob& job, size_t row, size_t strip, const std::byte* ahead, size_t ahead_bytes) {
    typename Dot::Sum sums[R][C];
#pragma GCC unroll 12
    for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 12
      for (size_t c = 0; c < C; ++c) sums[r][c] = Dot::zero();
    auto* out = static_cast<std::byte*>(job.sums) + (row * job.sums_stride + strip * strip_columns) * 4;
    if constexpr (requires { Dot::load(out); })
      if (job.begin == SumsJob::Begin::at_sums)
#pragma GCC unroll 12
        for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 12
          for (size_t c = 0; c < C; ++c)
            sums[r][c] = Dot::load(out + (r * job.sums_stride + c * strip_columns) * 4);
    const size_t row_words = job.row_words, strip_bytes = job.strip_bytes, line_stride = job.line_stride;
    // A pointer for four rows each: what one, two and three rows are further needs two registers for all.
    const uint32_t* a[(R + 3) / 4];
#pragma GCC unroll 3
    for (size_t four = 0; four < (R + 3) / 4; ++four) a[four] = job.rows + (row + 4 * four) * row_words;
    const std::byte* b = job.strips + strip * job.strip_bytes;
    const auto one = [&](size_t word) __attribute__((always_inline)) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead), _MM_HINT_T1);
#pragma GCC unroll 2
      for (size_t w = 0; w < Dot::words; ++w) {
        __m512i parts[C];
#pragma GCC unroll 12
        for (size_t c = 0; c < C; ++c) parts[c] = Dot::part(_mm512_loadu_si512(b + c * strip_bytes), w);
#pragma GCC unroll 12
        for (size_t r = 0; r < R; ++r) {
          const __m512i numbers = _mm512_set1_epi32(static_cast<int>(a[r / 4][r % 4 * row_words + word + w]));
#pragma GCC unroll 12
          for (size_t c = 0; c < C; ++c) sums[r][c] = Dot::add(sums[r][c], numbers, parts[c]);
        }
      }
      b += line_stride;
      ahead += ahead_bytes;
    };
    const auto go_on = [&](size_t words) __attribute__((always_inline)) {
#pragma GCC unroll 3
      for (const uint32_t*& four : a) {
        four += words;
        asm("" : "+r"(four));  // Else the compiler makes one pointer of all, and puts offsets aside.
      }
    };
    size_t step = 0;
    // Two steps at a time: what counts them takes units from what multiplies.
    for (; step + 2 <= job.steps; step += 2) {
      one(0);
      one(Dot::words);
      go_on(2 * Dot::words);
    }
    if (step < job.steps) one(0);
#pragma GCC unroll 12
    for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 12
      for (size_t c = 0; c < C; ++c)
        Dot::store(out + (r * job.sums_stride + c * strip_columns) * 4, sums[r][c]);
  }

  template <size_t R>
  static void strips(const SumsJob& job, size_t row, const std::byte* ahead, size_t ahead_bytes) {
    constexpr size_t wide = R == 1 ? 12 : R == 2 ? 8 : R <= 4 ? 6 : 2;
    size_t strip = 0;
    for (; strip + wide <= job.strip_count; strip += wide) tile<R, wide>(job, row, strip, ahead, ahead_bytes);
    if constexpr (wide > 2)
      for (; strip < job.strip_count; strip += 2) tile<R, 2>(job, row, strip, ahead, ahead_bytes);
  }

  using Strips = void (*)(const SumsJob&, size_t, const std::byte*, size_t);
  static constexpr Strips by_rows[rows_most + 1] = {nullptr,    strips<1>,  strips<2>, strips<3>, strips<4>,
                                                    strips<5>,  strips<6>,  strips<7>, strips<8>, strips<9>,
                                                    strips<10>, strips<11>, strips<12>};

  // Rows in tiles as even as can be: 32 are 11, 11 and 10.
  static void sums(const SumsJob& job) {
    size_t tiles = (job.row_count + rows_most - 1) / rows_most;
    // The tiles share the fetching evenly. Without anything to fetch they touch the line they begin with.
    const std::byte* ahead = job.next != nullptr ? job.next : job.strips;
    const size_t share = job.next != nullptr && tiles > 0 ? job.next_lines * line_bytes / tiles : 0;
    const size_t ahead_bytes = job.steps > 0 ? share / job.steps : 0;
    for (size_t row = 0; row < job.row_count; --tiles, ahead += share) {
      const size_t rows = (job.row_count - row + tiles - 1) / tiles;
      by_rows[rows](job, row, ahead, ahead_bytes);
      row += rows;
    }
  }
};

// Floats: one a word.
struct FloatDot512 {
  using Sum = __m512;
  static constexpr size_t words = 1;
  static Sum zero() { return _mm512_setzero_ps(); }
  static __m512i part(__m512i line, size_t) { return line; }
  static Sum add(Sum sum, __m512i word, __m512i part) {
    return _mm512_fmadd_ps(_mm512_castsi512_ps(word), _mm512_castsi512_ps(part), sum);
  }
  static void store(void* to, Sum sum) { _mm512_storeu_ps(to, sum); }
  static Sum load(const void* from) { return _mm512_loadu_ps(from); }
};

// bfloat16 widened to floats, two words a step: the first of each pair and the second.
struct WideBf16Dot512 : FloatDot512 {
  static constexpr size_t words = 2;
  static __m512i part(__m512i line, size_t w) {
    return w == 0 ? _mm512_slli_epi32(line, 16)
                  : _mm512_and_si512(line, _mm512_set1_epi32(static_cast<int>(0xFFFF0000U)));
  }
};

// Bytes widened to 16 bits, so that no sum of two products saturates: words hold bytes 0 and 2, then 1 and 3.
struct WideByteDot512 {
  using Sum = __m512i;
  static constexpr size_t words = 2;
  static Sum zero() { return _mm512_setzero_si512(); }
  static __m512i part(__m512i line, size_t w) {
    return _mm512_srai_epi16(w == 0 ? _mm512_slli_epi16(line, 8) : line, 8);
  }
  static Sum add(Sum sum, __m512i word, __m512i part) {
    asm("vpaddd %1, %0, %0" : "+v"(sum) : "v"(_mm512_madd_epi16(word, part)));
    return sum;
  }
  static void store(void* to, Sum sum) { _mm512_storeu_si512(to, sum); }
};

}  // namespace
}  // namespace holdfast::tensor
