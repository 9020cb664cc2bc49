#pragma once

// Products of whole numbers of a few rows (whole_format.h), written once for a type D of registers
// (dots_*.h). Codes are multiplied group by group as they lie, eight too high; steps and middles follow. In
// an unnamed namespace, as row_kernels.h is.
#include <algorithm>
#include <utility>

#include "tensor/whole_format.h"

namespace holdfast::tensor {
namespace {

template <class D>
struct WholeDots {
  using V = typename D::V;
  using Sum = typename D::Sum;

  template <size_t R, size_t C>
  struct Tile {
    Sum of[R][C];

    void fill(int32_t x) {
      for (size_t r = 0; r < R; ++r)
        for (size_t c = 0; c < C; ++c) of[r][c] = D::begin(x);
    }
  };

  // What a group adds to the sums of one byte: step * (products - 8 * sum) + middle * sum.
  template <size_t G, size_t R, size_t C>
  [[gnu::always_inline]] static inline void multiply(Tile<R, C>& total, const std::byte* at,
                                                     size_t strip_bytes, const int8_t* const (&codes)[R],
                                                     size_t from, const int32_t* const (&sums)[R],
                                                     size_t sum_at) {
    constexpr size_t count = G / 8;  // Lines of the group.
    Tile<R, C> own;
    for (size_t r = 0; r < R; ++r) {
      const Sum first = D::begin(D::template gathers<4> ? 0 : -8 * sums[r][sum_at]);
      for (size_t c = 0; c < C; ++c) own.of[r][c] = first;
    }
#pragma GCC unroll 8
    for (size_t l = 0; l < count; ++l) {
#pragma GCC unroll 2
      for (size_t half = 0; half < 2; ++half) {
        typename D::Line parts[C];
#pragma GCC unroll 8
        for (size_t c = 0; c < C; ++c)
          parts[c] = D::template line<4>(at + line_bytes + c * strip_bytes + 64 * l, half);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r) {
          const auto word = D::word(codes[r] + from + 4 * (l + half * count));
#pragma GCC unroll 8
          for (size_t c = 0; c < C; ++c) own.of[r][c] = D::template add<4>(own.of[r][c], parts[c], word);
        }
      }
    }
#pragma GCC unroll 8
    for (size_t c = 0; c < C; ++c) {
      const Sum numbers = D::words(at + c * strip_bytes);
#pragma GCC unroll 8
      for (size_t r = 0; r < R; ++r) {
        Sum whole = own.of[r][c];
        if constexpr (D::template gathers<4>) whole = D::gathered(D::begin(-8 * sums[r][sum_at]), whole);
        total.of[r][c] = D::add_pairs(total.of[r][c], D::beside(whole, sums[r][sum_at]), numbers);
      }
    }
  }

  template <size_t G, size_t R, size_t C>
  static void tile(const WholeDotsJob& job, size_t row, size_t strip) {
    const size_t groups = job.inputs / G, strip_bytes = job.strip_bytes, pieces = pieces_of(job.inputs);
    constexpr size_t groups_a_piece = whole_piece / G;
    const std::byte* at = job.strips + strip * strip_bytes;
    const float* scales[R];
    const int32_t* sums[R];
    const int8_t* codes[R];
    for (size_t r = 0; r < R; ++r) {
      scales[r] = job.rows.scales + (row + r) * pieces;
      sums[r] = job.rows.sums + (row + r) * groups * 2;
      codes[r] = job.rows.codes + job.rows.place(row + r, job.inputs);
    }
    V out[R][C];
    for (size_t r = 0; r < R; ++r)
      for (size_t c = 0; c < C; ++c) out[r][c] = D::nothing();
    const size_t step = job.rows.step();
    size_t g = 0;
    for (size_t piece = 0; piece < pieces; ++piece) {
      const std::byte* own_scales = at;
      at += line_bytes;
      Tile<R, C> first, fine;
      first.fill(0);
      fine.fill(0);
      for (const size_t end = std::min(groups, g + groups_a_piece); g < end; ++g) {
        const size_t from = g * G / pair_inputs * step + g * G % pair_inputs;
        // Weights come from memory when the first rows meet them: the same group of the next strips is asked
        // for meanwhile.
        if (row == 0)
          for (size_t c = 0; c < C; ++c)
            for (size_t i = 0; i < whole_group_bytes(G); i += line_bytes)
              __builtin_prefetch(at + (C + c) * strip_bytes + i);
        multiply<G, R, C>(first, at, strip_bytes, codes, from, sums, 2 * g);
        multiply<G, R, C>(fine, at, strip_bytes, codes, from + pair_inputs, sums, 2 * g + 1);
        at += whole_group_bytes(G);
      }
      for (size_t c = 0; c < C; ++c) {
        const V scale = D::singles(own_scales + c * strip_bytes);
        for (size_t r = 0; r < R; ++r)
          out[r][c] = D::fma(D::fma(D::floats(first.of[r][c]), D::all(whole_steps), D::floats(fine.of[r][c])),
                             D::times(scale, D::all(scales[r][piece])), out[r][c]);
      }
    }
    for (size_t r = 0; r < R; ++r)
      for (size_t c = 0; c < C; ++c)
        D::store(job.sums + (row + r) * job.sums_stride + (strip + c) * strip_columns, out[r][c]);
  }

  template <size_t G, size_t R>
  static void strips(const WholeDotsJob& job, size_t row) {
    constexpr size_t wide = R == 1 ? D::whole_wide_of_one : D::whole_wide;
    size_t strip = 0;
    for (; strip + wide <= job.strip_count; strip += wide) tile<G, R, wide>(job, row, strip);
    if constexpr (wide > 2)  // Strips are even.
      for (; strip < job.strip_count; strip += 2) tile<G, R, 2>(job, row, strip);
  }

  template <size_t G, size_t... R>
  static void rows(const WholeDotsJob& job, std::index_sequence<R...>) {
    using Strips = void (*)(const WholeDotsJob&, size_t);
    constexpr Strips by_rows[] = {strips<G, R + 1>...};
    size_t tiles = (job.row_count + D::whole_rows - 1) / D::whole_rows;
    for (size_t row = 0; row < job.row_count; --tiles) {
      const size_t count = (job.row_count - row + tiles - 1) / tiles;
      by_rows[count - 1](job, row);
      row += count;
    }
  }

  static void run(const WholeDotsJob& job) {
    constexpr auto counts = std::make_index_sequence<D::whole_rows>();
    job.group == 32 ? rows<32>(job, counts) : rows<16>(job, counts);
  }
};

}  // namespace
}  // namespace holdfast::tensor
