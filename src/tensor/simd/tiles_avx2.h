#pragma once

// Sums of rows and strips in 256-bit registers, written once for a step `Dot` of one precision: the line of a
// strip fills two. In an unnamed namespace, as each including file is compiled for its own instruction set.
#include <immintrin.h>

#include <algorithm>
#include <cstddef>

#include "tensor/products.h"

namespace holdfast::tensor {
namespace {

// Dot: as in tiles_avx512.h, of eight sums.
template <class Dot>
struct Tiles256 {
  // Six rows by one strip: 12 sums, two halves of a line and a word in the 16 registers.
  static constexpr size_t rows_most = 6;

  // What is read soon, fetched while a tile works: so many 256ths of a byte a step.
  struct Ahead {
    const std::byte* at = nullptr;
    size_t a_step = 0;
  };

  template <size_t R, size_t C>
  static void tile(const SumsJob& job, size_t row, size_t strip, Ahead ahead) {
    typename Dot::Sum sums[R][2 * C];
#pragma GCC unroll 6
    for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 12
      for (size_t c = 0; c < 2 * C; ++c) sums[r][c] = Dot::zero();
    auto* out = static_cast<std::byte*>(job.sums) + (row * job.sums_stride + strip * strip_columns) * 4;
    if constexpr (requires { Dot::load(out); })
      if (job.begin == SumsJob::Begin::at_sums)
#pragma GCC unroll 6
        for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 12
          for (size_t c = 0; c < 2 * C; ++c) sums[r][c] = Dot::load(out + (r * job.sums_stride + c * 8) * 4);
    const size_t row_words = job.row_words, strip_bytes = job.strip_bytes, line_stride = job.line_stride;
    // A pointer for three rows each, as tiles_avx512.h has one for four.
    const uint32_t* a[(R + 2) / 3];
#pragma GCC unroll 2
    for (size_t three = 0; three < (R + 2) / 3; ++three) a[three] = job.rows + (row + 3 * three) * row_words;
    const std::byte* b = job.strips + strip * job.strip_bytes;
    size_t fetched = 0;
    const auto one = [&](size_t word) __attribute__((always_inline)) {
      _mm_prefetch(reinterpret_cast<const char*>(ahead.at + (fetched >> 8)), _MM_HINT_T1);
#pragma GCC unroll 2
      for (size_t w = 0; w < Dot::words; ++w) {
#pragma GCC unroll 6
        for (size_t c = 0; c < C; ++c) {
          const auto* line = reinterpret_cast<const __m256i*>(b + c * strip_bytes);
          const __m256i low = Dot::part(_mm256_loadu_si256(line), w),
                        high = Dot::part(_mm256_loadu_si256(line + 1), w);
#pragma GCC unroll 6
          for (size_t r = 0; r < R; ++r) {
            const __m256i numbers =
                _mm256_set1_epi32(static_cast<int>(a[r / 3][r % 3 * row_words + word + w]));
            sums[r][2 * c] = Dot::add(sums[r][2 * c], numbers, low);
            sums[r][2 * c + 1] = Dot::add(sums[r][2 * c + 1], numbers, high);
          }
        }
      }
      b += line_stride;
      fetched += ahead.a_step;
    };
    const auto go_on = [&](size_t words) __attribute__((always_inline)) {
#pragma GCC unroll 2
      for (const uint32_t*& three : a) {
        three += words;
        asm("" : "+r"(three));
      }
    };
    size_t step = 0;
    for (; step + 2 <= job.steps; step += 2) {
      one(0);
      one(Dot::words);
      go_on(2 * Dot::words);
    }
    if (step < job.steps) one(0);
#pragma GCC unroll 6
    for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 12
      for (size_t c = 0; c < 2 * C; ++c) Dot::store(out + (r * job.sums_stride + c * 8) * 4, sums[r][c]);
  }

  template <size_t R>
  static void strips(const SumsJob& job, size_t row, const std::byte* from, size_t share) {
    constexpr size_t wide = R == 1 ? 6 : R == 2 ? 3 : R == 3 ? 2 : 1;
    const size_t each = share / std::max<size_t>(job.strip_count, 1);  // A strip.
    const auto ahead = [&](size_t strip, size_t count) {
      return Ahead{from + strip * each, job.steps == 0 ? 0 : (each * count << 8) / job.steps};
    };
    size_t strip = 0;
    for (; strip + wide <= job.strip_count; strip += wide) tile<R, wide>(job, row, strip, ahead(strip, wide));
    if constexpr (wide > 1)
      for (; strip < job.strip_count; ++strip) tile<R, 1>(job, row, strip, ahead(strip, 1));
  }

  using Strips = void (*)(const SumsJob&, size_t, const std::byte*, size_t);
  static constexpr Strips by_rows[rows_most + 1] = {nullptr,   strips<1>, strips<2>, strips<3>,
                                                    strips<4>, strips<5>, strips<6>};

  static void sums(const SumsJob& job) {
    size_t tiles = (job.row_count + rows_most - 1) / rows_most;
    // The tiles share the fetching evenly. Without anything to fetch they touch the line they begin with.
    const std::byte* ahead = job.next != nullptr ? job.next : job.strips;
    const size_t share = job.next != nullptr && tiles > 0 ? job.next_lines * line_bytes / tiles : 0;
    for (size_t row = 0; row < job.row_count; --tiles, ahead += share) {
      const size_t rows = (job.row_count - row + tiles - 1) / tiles;
      by_rows[rows](job, row, ahead, share);
      row += rows;
    }
  }
};

struct FloatDot256 {
  using Sum = __m256;
  static constexpr size_t words = 1;
  static Sum zero() { return _mm256_setzero_ps(); }
  static __m256i part(__m256i line, size_t) { return line; }
  static Sum add(Sum sum, __m256i word, __m256i part) {
    return _mm256_fmadd_ps(_mm256_castsi256_ps(word), _mm256_castsi256_ps(part), sum);
  }
  static void store(void* to, Sum sum) { _mm256_storeu_ps(static_cast<float*>(to), sum); }
  static Sum load(const void* from) { return _mm256_loadu_ps(static_cast<const float*>(from)); }
};

struct WideBf16Dot256 : FloatDot256 {
  static constexpr size_t words = 2;
  static __m256i part(__m256i line, size_t w) {
    return w == 0 ? _mm256_slli_epi32(line, 16)
                  : _mm256_and_si256(line, _mm256_set1_epi32(static_cast<int>(0xFFFF0000U)));
  }
};

// Bytes widened to 16 bits: vpmaddubsw would saturate the sum of two products.
struct WideByteDot256 {
  using Sum = __m256i;
  static constexpr size_t words = 2;
  static Sum zero() { return _mm256_setzero_si256(); }
  static __m256i part(__m256i line, size_t w) {
    return _mm256_srai_epi16(w == 0 ? _mm256_slli_epi16(line, 8) : line, 8);
  }
  static Sum add(Sum sum, __m256i word, __m256i part) {
    asm("vpaddd %1, %0, %0" : "+x"(sum) : "x"(_mm256_madd_epi16(word, part)));
    return sum;
  }
  static void store(void* to, Sum sum) { _mm256_storeu_si256(static_cast<__m256i*>(to), sum); }
};

}  // namespace
}  // namespace holdfast::tensor
