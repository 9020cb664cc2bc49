#pragma once

// Products of whole numbers (whole_format.h) by 512-bit VNNI, to the bit those of the plain twin: of one
// strip at a time, as memory is read fastest in its order, and a group's codes are unpacked once for both
// bytes of up to six rows, whose sums of a group and of a piece stay in registers: storing them costs more
// than the products of a line. In an unnamed namespace, as row_kernels.h is.
#include <algorithm>
#include <utility>

#include "tensor/simd/dots_avx512.h"
#include "tensor/whole_format.h"

namespace holdfast::tensor {
namespace {

struct WholeRowsVnni {
  using Sum = __m512i;
  static constexpr size_t rows_most = 6;

  // What a group's sum begins with: the sum of a row's bytes in its high half, and in the low one eight times
  // as much less, as codes are eight too high, and 2^15 more, so that no product carries into the high half:
  // in the end that half is within 2^15 of its middle.
  static Sum begin(int32_t row_sum) { return _mm512_set1_epi32(row_sum * (65'536 - 8) + 32'768); }

  template <size_t R>
  struct Rows {
    const int8_t* codes[R];
    const int32_t* group_sums[R];
    float scales[R];
    float* sums[R];
  };

  // Of one piece; `begins` where it is the first one. `ahead`: what is that far away is asked for, unless 0.
  template <size_t G, size_t R>
  static void tile(const Rows<R>& rows, const std::byte* at, size_t first_group, size_t groups, size_t step,
                   bool begins, size_t ahead) {
    constexpr size_t lines = G / 8;
    const __m512 own_scale = _mm512_loadu_ps(at);
    at += line_bytes;
    Sum totals[R][2];
    for (size_t r = 0; r < R; ++r) totals[r][0] = totals[r][1] = _mm512_setzero_si512();
    const Sum mask = _mm512_set1_epi8(15), middle = _mm512_set1_epi32(32'768);
    for (size_t g = first_group; g < first_group + groups; ++g, at += whole_group_bytes(G)) {
      const size_t input = g * G, from = input / pair_inputs * step + input % pair_inputs;
      if (ahead != 0)
        for (size_t i = 0; i < whole_group_bytes(G); i += line_bytes) __builtin_prefetch(at + ahead + i);
      Sum own[R][2];
#pragma GCC unroll 8
      for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 2
        for (size_t b = 0; b < 2; ++b) own[r][b] = begin(rows.group_sums[r][2 * g + b]);
#pragma GCC unroll 8
      for (size_t l = 0; l < lines; ++l) {
        const Sum both = _mm512_loadu_si512(at + line_bytes + line_bytes * l);
#pragma GCC unroll 2
        for (size_t half = 0; half < 2; ++half) {
          const Sum part = _mm512_and_si512(half == 0 ? both : _mm512_srli_epi16(both, 4), mask);
#pragma GCC unroll 8
          for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 2
            for (size_t b = 0; b < 2; ++b)
              own[r][b] = _mm512_dpbusd_epi32(
                  own[r][b], part,
                  Dots512::word(rows.codes[r] + from + b * pair_inputs + 4 * (l + half * lines)));
        }
      }
      const Sum numbers = _mm512_loadu_si512(at);
#pragma GCC unroll 8
      for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 2
        for (size_t b = 0; b < 2; ++b)
          totals[r][b] = _mm512_dpwssd_epi32(totals[r][b], _mm512_xor_si512(own[r][b], middle), numbers);
    }
    for (size_t r = 0; r < R; ++r) {
      const __m512 whole =
          _mm512_fmadd_ps(_mm512_cvtepi32_ps(totals[r][0]), _mm512_set1_ps(static_cast<float>(whole_steps)),
                          _mm512_cvtepi32_ps(totals[r][1]));
      const __m512 before = begins ? _mm512_setzero_ps() : _mm512_loadu_ps(rows.sums[r]);
      const __m512 scale = _mm512_mul_ps(own_scale, _mm512_set1_ps(rows.scales[r]));
      _mm512_storeu_ps(rows.sums[r], _mm512_fmadd_ps(whole, scale, before));
    }
  }

  template <size_t G, size_t R>
  static void rows(const WholeDotsJob& job, size_t row) {
    constexpr size_t groups_a_piece = whole_piece / G;
    constexpr size_t piece_bytes = line_bytes + groups_a_piece * whole_group_bytes(G);
    const size_t groups = job.inputs / G, pieces = pieces_of(job.inputs);
    Rows<R> own;
    for (size_t r = 0; r < R; ++r) {
      own.codes[r] = job.rows.codes + job.rows.place(row + r, job.inputs);
      own.group_sums[r] = job.rows.sums + (row + r) * groups * 2;
    }
    // The first rows bring a strip from memory, and more of them than memory waits for: the next strip is
    // asked for meanwhile. Three read memory at its speed without.
    const size_t ahead = R > 3 && row == 0 ? job.strip_bytes : 0;
    const auto take = [&](size_t strip, size_t piece) {
      for (size_t r = 0; r < R; ++r) {
        own.scales[r] = job.rows.scales[(row + r) * pieces + piece];
        own.sums[r] = job.sums + (row + r) * job.sums_stride + strip * strip_columns;
      }
      const size_t first = piece * groups_a_piece;
      tile<G, R>(own, job.strips + strip * job.strip_bytes + piece * piece_bytes, first,
                 std::min(groups_a_piece, groups - first), job.rows.step(), piece == 0, ahead);
    };
    for (size_t strip = 0; strip < job.strip_count; ++strip)
      for (size_t piece = 0; piece < pieces; ++piece) take(strip, piece);
  }

  template <size_t G, size_t... R>
  static void all(const WholeDotsJob& job, std::index_sequence<R...>) {
    using Take = void (*)(const WholeDotsJob&, size_t);
    constexpr Take by_rows[] = {rows<G, R + 1>...};
    size_t tiles = (job.row_count + rows_most - 1) / rows_most;
    for (size_t row = 0; row < job.row_count; --tiles) {
      const size_t count = (job.row_count - row + tiles - 1) / tiles;
      by_rows[count - 1](job, row);
      row += count;
    }
  }

  static void run(const WholeDotsJob& job) {
    constexpr auto counts = std::make_index_sequence<rows_most>();
    job.group == 32 ? all<32>(job, counts) : all<16>(job, counts);
  }
};

}  // namespace
}  // namespace holdfast::tensor
