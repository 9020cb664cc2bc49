#pragma once

// Products of quantised weights whose codes have eight bits with rows of bytes (block_bytes.h) by registers
// of 256 bits, to the bit those of block_dots.h. Codes become numbers of 16 bits, as rows do, both of whose
// bytes meet them as one number of fifteen bits: a group's sum of products of pairs is the whole sum at once.
// In an unnamed namespace, as row_kernels.h is.
#include <algorithm>
#include <cstring>
#include <utility>

#include "tensor/block_bytes.h"
#include "tensor/simd/block_scales.h"
#include "tensor/simd/dots_avx2.h"

namespace holdfast::tensor {
namespace {

// Step: what one instruction set does with pairs of 16 bits (dots_avx2.h).
template <class Step>
struct BlockRowsAvx2 {
  using D = Dots256<Step>;
  using Sum = __m256i;
  static constexpr size_t rows_most = 6;
  // Inputs whose numbers of 16 bits are kept near while strips meet them.
  static constexpr size_t inputs_near = 1024;

  static Sum load(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }
  static Sum word(const int16_t* at) {
    int32_t bits;
    std::memcpy(&bits, at, 4);
    return _mm256_set1_epi32(bits);
  }
  // A group of a row: of every four inputs the first and the third, then the second and the fourth, as the
  // halves of words of codes hold them.
  template <bool is_fine, size_t G>
  static void spread(const int8_t* first, int16_t* out) {
    const Sum steps = _mm256_set1_epi16(254);
    // In each half of the register bytes 0 2 1 3, 4 6 5 7 and so on.
    const __m128i order = _mm_setr_epi8(0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15);
    for (size_t i = 0; i < G; i += 16) {
      const auto words = [&](const int8_t* from) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
        return _mm256_cvtepi8_epi16(_mm_shuffle_epi8(bytes, order));
      };
      Sum whole = words(first + i);
      if constexpr (is_fine) whole = _mm256_add_epi16(_mm256_mullo_epi16(whole, steps), words(first + G + i));
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), whole);
    }
  }

  template <size_t R>
  struct Rows {
    alignas(32) int16_t numbers[R][inputs_near];
    const float *scales[R], *scaled_sums[R];  // Of the first of these inputs.
  };

  // Groups [0, groups) of what is near, from `at` on; `begins` where these are a strip's first ones. `ahead`:
  // what is that far away is asked for, unless 0. Returns where the next ones are.
  template <size_t G, size_t R>
  static const std::byte* strip(const BlockDotsJob& job, const Rows<R>& rows, const std::byte* at,
                                size_t groups, bool begins, size_t ahead, float* sums) {
    const ByteFormat format = job.format;
    const size_t lanes = job.rows.lanes, number = number_bytes(format.scales),
                 scales_bytes = byte_scales_bytes(format), head_bytes = super_bytes(format);
    const std::byte* super = at;  // Read of parts only.
    __m256 out[R][2];
    for (size_t r = 0; r < R; ++r)
      for (size_t c = 0; c < 2; ++c)
        out[r][c] = begins ? _mm256_setzero_ps() : _mm256_loadu_ps(sums + r * job.sums_stride + 8 * c);
    for (size_t g = 0, each = 0; g < groups; ++g, each += lanes) {
      if (head_bytes != 0 && g % (super_inputs / G) == 0) {
        super = at;
        at += head_bytes;
      }
      if (ahead != 0)
        for (size_t i = 0; i < byte_group_bytes(format); i += 64) __builtin_prefetch(at + ahead + i);
      Sum own[R][2];
      for (size_t r = 0; r < R; ++r) own[r][0] = own[r][1] = _mm256_setzero_si256();
#pragma GCC unroll 8
      for (size_t l = 0; l < G / 4; ++l) {
        const Sum low = load(at + scales_bytes + 64 * l), high = load(at + scales_bytes + 64 * l + 32);
        const auto take = [&](Sum a, Sum b, size_t more) {
#pragma GCC unroll 8
          for (size_t r = 0; r < R; ++r)
            Step::add_pairs(own[r], a, b, word(rows.numbers[r] + g * G + 4 * l + more));
        };
        take(_mm256_srai_epi16(_mm256_slli_epi16(low, 8), 8),
             _mm256_srai_epi16(_mm256_slli_epi16(high, 8), 8), 0);
        take(_mm256_srai_epi16(low, 8), _mm256_srai_epi16(high, 8), 2);
      }
      const typename D::V scale = numbers_at<D>(format.scales, at, super);
#pragma GCC unroll 8
      for (size_t r = 0; r < R; ++r) {
        const __m256 by = _mm256_set1_ps(rows.scales[r][each]);
        out[r][0] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(own[r][0]), _mm256_mul_ps(scale.low, by), out[r][0]);
        out[r][1] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(own[r][1]), _mm256_mul_ps(scale.high, by), out[r][1]);
      }
      if (format.has_least) {
        const typename D::V least = numbers_at<D>(format.scales, at + number, super + 32);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r) {
          const __m256 by = _mm256_set1_ps(rows.scaled_sums[r][each]);
          out[r][0] = _mm256_fmadd_ps(least.low, by, out[r][0]);
          out[r][1] = _mm256_fmadd_ps(least.high, by, out[r][1]);
        }
      }
      at += byte_group_bytes(format);
    }
    for (size_t r = 0; r < R; ++r)
      for (size_t c = 0; c < 2; ++c) _mm256_storeu_ps(sums + r * job.sums_stride + 8 * c, out[r][c]);
    return at;
  }

  template <bool is_fine, size_t G, size_t R>
  static void rows(const BlockDotsJob& job, size_t row) {
    constexpr size_t groups_near = inputs_near / G;
    static_assert(inputs_near % super_inputs == 0);
    const size_t groups = job.inputs / G, lanes = job.rows.lanes, step = lanes * job.rows.group_bytes(G);
    // The first rows bring a strip from memory, which has time to bring the next one where there are some.
    const size_t ahead = R > 2 && row == 0 ? job.strip_bytes : 0;
    Rows<R> own;
    size_t bytes = 0;  // Of a strip, those of the groups before.
    for (size_t from = 0; from < groups; from += groups_near) {
      const size_t count = std::min(groups_near, groups - from);
      for (size_t r = 0; r < R; ++r) {
        const size_t place = job.rows.place(row + r, groups) + from * lanes;
        own.scales[r] = job.rows.scales + place;
        own.scaled_sums[r] = job.rows.scaled_sums + place;
        const int8_t* codes = job.rows.codes + job.rows.code_place(row + r, job.inputs, G) + from * step;
        for (size_t g = 0; g < count; ++g, codes += step) spread<is_fine, G>(codes, own.numbers[r] + g * G);
      }
      size_t taken = 0;
      for (size_t at = 0; at < job.strip_count; ++at) {
        const std::byte* begin = job.strips + at * job.strip_bytes + bytes;
        taken = static_cast<size_t>(strip<G, R>(job, own, begin, count, from == 0, ahead,
                                                job.sums + row * job.sums_stride + at * 16) -
                                    begin);
      }
      bytes += taken;
    }
  }

  template <bool is_fine, size_t G, size_t... R>
  static void all(const BlockDotsJob& job, std::index_sequence<R...>) {
    using Take = void (*)(const BlockDotsJob&, size_t);
    constexpr Take by_rows[] = {rows<is_fine, G, R + 1>...};
    size_t tiles = (job.row_count + rows_most - 1) / rows_most;
    for (size_t row = 0; row < job.row_count; --tiles) {
      const size_t count = (job.row_count - row + tiles - 1) / tiles;
      by_rows[count - 1](job, row);
      row += count;
    }
  }

  template <bool is_fine>
  static void any(const BlockDotsJob& job) {
    constexpr auto counts = std::make_index_sequence<rows_most>();
    job.format.group == 32 ? all<is_fine, 32>(job, counts) : all<is_fine, 16>(job, counts);
  }
  static void run(const BlockDotsJob& job) { job.rows.fine ? any<true>(job) : any<false>(job); }
};

}  // namespace
}  // namespace holdfast::tensor
