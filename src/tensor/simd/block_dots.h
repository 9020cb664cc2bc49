#pragma once

// Products of quantised weights with rows of bytes, written once for a type D of registers (dots_*.h). In an
// unnamed namespace, as row_kernels.h is.
#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "tensor/block_bytes.h"
#include "tensor/simd/block_scales.h"

namespace holdfast::tensor {
namespace {

// The number in the low byte, with its sign.
inline int32_t low_byte(float rounded) {
  return static_cast<int32_t>(std::bit_cast<uint32_t>(rounded) << 24) >> 24;
}

// Plain loops of fixed lengths that compilers turn into registers of the file's instruction set.
template <size_t G>
inline float greatest(const float* x) {
  int32_t most = 0;  // Positive floats are ordered as their bits are.
  for (size_t i = 0; i < G; ++i) most = std::max(most, std::bit_cast<int32_t>(x[i]) & 0x7FFFFFFF);
  return std::bit_cast<float>(most);
}

template <size_t G>
inline void quantize_group(const float* x, int32_t steps, const ByteRows& out, int8_t* to, size_t at) {
  // Adding 1.5 * 2^23 rounds to a whole number, halves to even, and leaves it in the low bits.
  constexpr float rounder = 12582912.0F;
  const float most = greatest<G>(x);
  const float inverse = most > 0 ? 127.0F / most : 0.0F, scale = most / 127.0F;
  int32_t codes[G], sum = 0;
  if (!out.fine) {
    for (size_t i = 0; i < G; ++i) codes[i] = low_byte(x[i] * inverse + rounder);
    for (size_t i = 0; i < G; ++i) sum += codes[i];
    for (size_t i = 0; i < G; ++i) to[i] = static_cast<int8_t>(codes[i]);
    out.scales[at] = scale;
    out.sums[at] = sum;
    out.scaled_sums[at] = scale * static_cast<float>(sum);
    return;
  }
  int32_t fine[G];
  for (size_t i = 0; i < G; ++i) {
    const float exact = x[i] * inverse, rounded = exact + rounder, whole = rounded - rounder;
    codes[i] = low_byte(rounded);
    fine[i] = low_byte((exact - whole) * static_cast<float>(steps) + rounder);
  }
  for (size_t i = 0; i < G; ++i) sum += steps * codes[i] + fine[i];
  for (size_t i = 0; i < G; ++i) to[i] = static_cast<int8_t>(codes[i]);
  for (size_t i = 0; i < G; ++i) to[G + i] = static_cast<int8_t>(fine[i]);
  out.scales[at] = scale / static_cast<float>(steps);
  out.sums[at] = sum;
  out.scaled_sums[at] = scale / static_cast<float>(steps) * static_cast<float>(sum);
}

template <size_t G>
inline void quantize_rows_by(const QuantizeJob& job) {
  const size_t groups = job.inputs / G;
  for (size_t row = 0; row < job.rows; ++row) {
    const float* x = job.in + row * job.in_stride;
    const ByteRows& out = job.out;
    int8_t* to = out.codes + out.code_place(job.row + row, job.inputs, G);
    size_t at = out.place(job.row + row, groups);
    for (size_t g = 0; g < groups; ++g, to += out.lanes * out.group_bytes(G), at += out.lanes)
      quantize_group<G>(x + g * G, job.steps, job.out, to, at);
  }
}

inline void quantize_rows(const QuantizeJob& job) {
  job.group == 32 ? quantize_rows_by<32>(job) : quantize_rows_by<16>(job);
}

// D: Sum (whole sums of sixteen outputs; those that D gathers lie in pairs of 16 bits until a group ends),
// Line (a line of codes), V (sixteen floats); see dots_avx512.h.
template <class D>
struct BlockDots {
  using V = typename D::V;
  using Sum = typename D::Sum;

  // Weights come from memory when the first rows meet them: the same group of the next tile's strips is asked
  // for meanwhile, as the hardware does not foresee where strips begin.
  static inline void fetch(const std::byte* at, size_t strips, size_t strip_bytes, size_t bytes) {
    for (size_t strip = 0; strip < strips; ++strip)
      for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + strip * strip_bytes + i);
  }

  template <size_t R, size_t C>
  struct Tile {
    Sum sums[R][C];
  };

  // What codes that lie `zero` too high add is taken off beforehand.
  template <size_t R, size_t C>
  [[gnu::always_inline]] static inline void begin(Tile<R, C>& tile, int32_t zero,
                                                  const int32_t* const (&whole_sums)[R], size_t at) {
#pragma GCC unroll 8
    for (size_t r = 0; r < R; ++r) {
      const Sum first = D::begin(zero == 0 ? 0 : -zero * whole_sums[r][at]);
#pragma GCC unroll 8
      for (size_t c = 0; c < C; ++c) tile.sums[r][c] = first;
    }
  }

  template <size_t R, size_t C>
  [[gnu::always_inline]] static inline void clear(Tile<R, C>& tile) {
#pragma GCC unroll 8
    for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (size_t c = 0; c < C; ++c) tile.sums[r][c] = D::begin(0);
  }

  // Adds to each sum the products of a group's codes, `from` bytes into each row's.
  template <size_t bits, size_t G, size_t R, size_t C>
  [[gnu::always_inline]] static inline void multiply(Tile<R, C>& tile, const std::byte* lines,
                                                     size_t strip_bytes, const int8_t* const (&codes)[R],
                                                     size_t from) {
    if constexpr (!D::template gathers<bits>) {
      add_products<bits, G, R, C>(tile, lines, strip_bytes, codes, from);
    } else {
      Tile<R, C> pairs;
      clear<R, C>(pairs);
      add_products<bits, G, R, C>(pairs, lines, strip_bytes, codes, from);
#pragma GCC unroll 8
      for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (size_t c = 0; c < C; ++c) tile.sums[r][c] = D::gathered(tile.sums[r][c], pairs.sums[r][c]);
    }
  }

  template <size_t bits, size_t G, size_t R, size_t C>
  [[gnu::always_inline]] static inline void add_products(Tile<R, C>& tile, const std::byte* lines,
                                                         size_t strip_bytes, const int8_t* const (&codes)[R],
                                                         size_t from) {
    constexpr size_t count = G * bits / 32;  // Lines of the group.
#pragma GCC unroll 8
    for (size_t l = 0; l < count; ++l) {
#pragma GCC unroll 2
      for (size_t half = 0; half < 8 / bits; ++half) {
        typename D::Line parts[C];
#pragma GCC unroll 8
        for (size_t c = 0; c < C; ++c)
          parts[c] = D::template line<bits>(lines + c * strip_bytes + 64 * l, half);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r) {
          const auto word = D::word(codes[r] + from + 4 * (l + half * count));
#pragma GCC unroll 8
          for (size_t c = 0; c < C; ++c)
            tile.sums[r][c] = D::template add<bits>(tile.sums[r][c], parts[c], word);
        }
      }
    }
  }

  template <size_t bits, size_t G, size_t R, size_t C>
  static void tile(const BlockDotsJob& job, size_t row, size_t strip) {
    const ByteFormat format = job.format;
    const size_t groups = job.inputs / G, strip_bytes = job.strip_bytes;
    const size_t lanes = job.rows.lanes, step = lanes * job.rows.group_bytes(G);
    const size_t scales_bytes = byte_scales_bytes(format), number = number_bytes(format.scales);
    const size_t head_bytes = super_bytes(format);
    const std::byte* at = job.strips + strip * strip_bytes;
    const std::byte* super = at;  // Read of parts only.
    const float *row_scales[R], *row_sums[R];
    const int32_t* whole_sums[R];
    const int8_t* codes[R];
    for (size_t r = 0; r < R; ++r) {
      const size_t place = job.rows.place(row + r, groups);
      row_scales[r] = job.rows.scales + place;
      row_sums[r] = job.rows.scaled_sums + place;
      whole_sums[r] = job.rows.sums + place;
      codes[r] = job.rows.codes + job.rows.code_place(row + r, job.inputs, G);
    }
    const int32_t zero = bits == 8 ? D::byte_zero : format.zero;
    V out[R][C];
    for (size_t r = 0; r < R; ++r)
      for (size_t c = 0; c < C; ++c) out[r][c] = D::nothing();
    for (size_t g = 0, each = 0, from = 0; g < groups; ++g, each += lanes, from += step) {
      if (head_bytes != 0 && g % (super_inputs / G) == 0) {
        super = at;
        at += head_bytes;
      }
      if (row == 0) fetch(at + C * strip_bytes, C, strip_bytes, byte_group_bytes(format));
      const std::byte* lines = at + scales_bytes;
      Tile<R, C> whole;
      if (!job.rows.fine) {
        begin<R, C>(whole, zero, whole_sums, each);
        multiply<bits, G, R, C>(whole, lines, strip_bytes, codes, from);
      } else {
        clear<R, C>(whole);
        multiply<bits, G, R, C>(whole, lines, strip_bytes, codes, from);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 8
          for (size_t c = 0; c < C; ++c)
            whole.sums[r][c] =
                D::template stepped<bits>(whole.sums[r][c], zero == 0 ? 0 : -zero * whole_sums[r][each]);
        multiply<bits, G, R, C>(whole, lines, strip_bytes, codes, from + G);
      }
#pragma GCC unroll 8
      for (size_t c = 0; c < C; ++c) {
        const std::byte* own = at + c * strip_bytes;
        const std::byte* own_super = super + c * strip_bytes;
        const V scale = numbers_at<D>(format.scales, own, own_super);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r)
          out[r][c] =
              D::fma(D::floats(whole.sums[r][c]), D::times(scale, D::all(row_scales[r][each])), out[r][c]);
        if (!format.has_least) continue;
        const V least = numbers_at<D>(format.scales, own + number, own_super + 32);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r) out[r][c] = D::fma(least, D::all(row_sums[r][each]), out[r][c]);
      }
      at += byte_group_bytes(format);
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (size_t c = 0; c < C; ++c)
        D::store(job.sums + (row + r) * job.sums_stride + (strip + c) * 16, out[r][c]);
  }

  template <size_t bits, size_t G, size_t R>
  static void strips(const BlockDotsJob& job, size_t row) {
    constexpr size_t wide = R == 1 ? D::wide_of_one : D::wide;
    size_t strip = 0;
    for (; strip + wide <= job.strip_count; strip += wide) tile<bits, G, R, wide>(job, row, strip);
    if constexpr (wide > 2)  // Strips are even.
      for (; strip < job.strip_count; strip += 2) tile<bits, G, R, 2>(job, row, strip);
  }

  template <size_t bits, size_t G, size_t... R>
  static void rows(const BlockDotsJob& job, std::index_sequence<R...>) {
    using Strips = void (*)(const BlockDotsJob&, size_t);
    constexpr Strips by_rows[] = {strips<bits, G, R + 1>...};
    size_t tiles = (job.row_count + D::rows - 1) / D::rows;
    for (size_t row = 0; row < job.row_count; --tiles) {
      const size_t count = (job.row_count - row + tiles - 1) / tiles;
      by_rows[count - 1](job, row);
      row += count;
    }
  }

  template <size_t bits>
  static void any(const BlockDotsJob& job) {
    constexpr auto counts = std::make_index_sequence<D::rows>();
    job.format.group == 32 ? rows<bits, 32>(job, counts) : rows<bits, 16>(job, counts);
  }

  static void run(const BlockDotsJob& job) { job.format.code_bits == 4 ? any<4>(job) : any<8>(job); }
};

}  // namespace
}  // namespace holdfast::tensor
