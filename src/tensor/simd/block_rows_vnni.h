#pragma once

// Products of quantised weights whose codes have eight bits with rows of bytes (block_bytes.h) by 512-bit
// VNNI, to the bit those of block_dots.h: of one strip at a time, as memory is read fastest in its order, and
// both bytes of up to six rows while a line of codes is in a register. In an unnamed namespace, as
// row_kernels.h is.
#include <algorithm>
#include <utility>

#include "tensor/block_bytes.h"
#include "tensor/simd/block_scales.h"
#include "tensor/simd/dots_avx512.h"

namespace holdfast::tensor {
namespace {

struct BlockRowsVnni {
  using Sum = __m512i;
  static constexpr size_t rows_most = 6;

  template <size_t R>
  struct Rows {
    const int8_t* codes[R];
    const float *scales[R], *scaled_sums[R];
    const int32_t* sums[R];
  };

  template <bool is_fine, size_t G, size_t R>
  static void strip(const BlockDotsJob& job, const Rows<R>& rows, const std::byte* at, size_t ahead,
                    float* sums) {
    const ByteFormat format = job.format;
    const size_t groups = job.inputs / G, lanes = job.rows.lanes;
    const size_t scales_bytes = byte_scales_bytes(format), number = number_bytes(format.scales),
                 head_bytes = super_bytes(format), step = lanes * job.rows.group_bytes(G);
    const std::byte* super = at;  // Read of parts only.
    const Sum raised = _mm512_set1_epi8(static_cast<char>(-128));
    __m512 out[R];
    for (size_t r = 0; r < R; ++r) out[r] = _mm512_setzero_ps();
    for (size_t g = 0, each = 0, from = 0; g < groups; ++g, each += lanes, from += step) {
      if (head_bytes != 0 && g % (super_inputs / G) == 0) {
        super = at;
        at += head_bytes;
      }
      if (ahead != 0)
        for (size_t i = 0; i < byte_group_bytes(format); i += 64) __builtin_prefetch(at + ahead + i);
      Sum first[R], last[R];  // Bytes of weights are read without sign, 128 more.
#pragma GCC unroll 8
      for (size_t r = 0; r < R; ++r) {
        first[r] = _mm512_setzero_si512();
        last[r] = _mm512_set1_epi32(-Dots512::byte_zero * rows.sums[r][each]);
      }
#pragma GCC unroll 8
      for (size_t l = 0; l < G / 4; ++l) {
        const Sum line = _mm512_xor_si512(_mm512_loadu_si512(at + scales_bytes + 64 * l), raised);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r) {
          const int8_t* word = rows.codes[r] + from + 4 * l;
          if constexpr (is_fine) first[r] = _mm512_dpbusd_epi32(first[r], line, Dots512::word(word));
          last[r] = _mm512_dpbusd_epi32(last[r], line, Dots512::word(word + (is_fine ? G : 0)));
        }
      }
      const __m512 scale = numbers_at<Dots512>(format.scales, at, super);
#pragma GCC unroll 8
      for (size_t r = 0; r < R; ++r) {
        // 254 times the first ones, without the units that multiply.
        const Sum steps = _mm512_sub_epi32(_mm512_slli_epi32(first[r], 8), _mm512_slli_epi32(first[r], 1));
        out[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_add_epi32(steps, last[r])),
                                 _mm512_mul_ps(scale, _mm512_set1_ps(rows.scales[r][each])), out[r]);
      }
      if (format.has_least) {
        const __m512 least = numbers_at<Dots512>(format.scales, at + number, super + 32);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r)
          out[r] = _mm512_fmadd_ps(least, _mm512_set1_ps(rows.scaled_sums[r][each]), out[r]);
      }
      at += byte_group_bytes(format);
    }
    for (size_t r = 0; r < R; ++r) _mm512_storeu_ps(sums + r * job.sums_stride, out[r]);
  }

  template <bool is_fine, size_t G, size_t R>
  static void rows(const BlockDotsJob& job, size_t row) {
    const size_t groups = job.inputs / G;
    Rows<R> own;
    for (size_t r = 0; r < R; ++r) {
      const size_t place = job.rows.place(row + r, groups);
      own.codes[r] = job.rows.codes + job.rows.code_place(row + r, job.inputs, G);
      own.scales[r] = job.rows.scales + place;
      own.scaled_sums[r] = job.rows.scaled_sums + place;
      own.sums[r] = job.rows.sums + place;
    }
    // As whole_rows_vnni.h has it.
    const size_t ahead = R > 3 && row == 0 ? job.strip_bytes : 0;
    for (size_t at = 0; at < job.strip_count; ++at)
      strip<is_fine, G, R>(job, own, job.strips + at * job.strip_bytes, ahead,
                           job.sums + row * job.sums_stride + at * 16);
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
