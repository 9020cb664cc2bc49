#pragma once

// Products of quantised weights with rows of bytes, written once for a type D of registers (dots_*.h). In an
// unnamed namespace, as row_kernels.h is.
#include <algorithm>
#include <bit>
#include <cstring>

#include "tensor/block_bytes.h"

namespace holdfast::tensor {
namespace {

// The number in the low byte, with its sign.
inline int32_t low_byte(float rounded) {
  return static_cast<int32_t>(std::bit_cast<uint32_t>(rounded) << 24) >> 24;
}

// Plain loops of fixed lengths that compilers turn into registers of the file's instruction set.
template <size_t G>
inline void quantize_group(const float* x, const ByteRows& out, size_t place, size_t at) {
  // Adding 1.5 * 2^23 rounds to a whole number, halves to even, and leaves it in the low bits.
  constexpr float rounder = 12582912.0F;
  int32_t most_bits = 0;  // Positive floats are ordered as their bits are.
  for (size_t i = 0; i < G; ++i) most_bits = std::max(most_bits, std::bit_cast<int32_t>(x[i]) & 0x7FFFFFFF);
  const float most = std::bit_cast<float>(most_bits);
  const float inverse = most > 0 ? 127.0F / most : 0.0F, scale = most / 127.0F;
  int32_t codes[G], sum = 0;
  if (out.fine == nullptr) {
    for (size_t i = 0; i < G; ++i) codes[i] = low_byte(x[i] * inverse + rounder);
    for (size_t i = 0; i < G; ++i) sum += codes[i];
    for (size_t i = 0; i < G; ++i) out.codes[place + i] = static_cast<int8_t>(codes[i]);
    out.scales[at] = scale;
    out.sums[at] = sum;
    out.scaled_sums[at] = scale * static_cast<float>(sum);
    return;
  }
  int32_t fine[G];
  for (size_t i = 0; i < G; ++i) {
    const float exact = x[i] * inverse, rounded = exact + rounder, whole = rounded - rounder;
    codes[i] = low_byte(rounded);
    fine[i] = low_byte((exact - whole) * static_cast<float>(fine_steps) + rounder);
  }
  for (size_t i = 0; i < G; ++i) sum += fine_steps * codes[i] + fine[i];
  for (size_t i = 0; i < G; ++i) out.codes[place + i] = static_cast<int8_t>(codes[i]);
  for (size_t i = 0; i < G; ++i) out.fine[place + i] = static_cast<int8_t>(fine[i]);
  out.scales[at] = scale / static_cast<float>(fine_steps);
  out.sums[at] = sum;
  out.scaled_sums[at] = scale / static_cast<float>(fine_steps) * static_cast<float>(sum);
}

inline void quantize_rows(const QuantizeJob& job) {
  const size_t groups = job.inputs / job.group;
  for (size_t row = 0; row < job.rows; ++row)
    for (size_t g = 0; g < groups; ++g) {
      const float* x = job.in + row * job.in_stride + g * job.group;
      const size_t place = row * job.inputs + g * job.group, at = row * groups + g;
      job.group == 32 ? quantize_group<32>(x, job.out, place, at) : quantize_group<16>(x, job.out, place, at);
    }
}

// D: Sum (whole sums of sixteen outputs), Line (a line of codes), V (sixteen floats); see dots_avx512.h.
template <class D>
struct BlockDots {
  using V = typename D::V;
  using Sum = typename D::Sum;

  static V numbers(ByteFormat::Scales kind, const std::byte* at, const std::byte* super) {
    switch (kind) {
      case ByteFormat::Scales::half:
        return D::halves(at);
      case ByteFormat::Scales::single:
        return D::singles(at);
      case ByteFormat::Scales::parts:
        break;
    }
    return D::times(D::bytes(at), D::halves(super));
  }

  // Weights come from memory when the first rows meet them: the same group of the next tile's strips is asked
  // for meanwhile, as the hardware does not foresee where strips begin.
  static inline void fetch(const std::byte* at, size_t strips, size_t strip_bytes, size_t bytes) {
    for (size_t strip = 0; strip < strips; ++strip)
      for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch(at + strip * strip_bytes + i);
  }

  // P: 1, or 2 where rows have fine codes.
  template <size_t P, size_t bits, size_t G, size_t R, size_t C>
  static void tile(const BlockDotsJob& job, size_t row, size_t strip) {
    const ByteFormat format = job.format;
    const size_t groups = job.inputs / G, strip_bytes = job.strip_bytes, inputs = job.inputs;
    const size_t scales_bytes = byte_scales_bytes(format), number = number_bytes(format.scales);
    const size_t head_bytes = super_bytes(format);
    const std::byte* at = job.strips + strip * strip_bytes;
    const std::byte* super = at;  // Read of parts only.
    const int8_t* codes[2] = {job.rows.codes + row * inputs, P == 2 ? job.rows.fine + row * inputs : nullptr};
    const float* row_scales = job.rows.scales + row * groups;
    const float* row_sums = job.rows.scaled_sums + row * groups;
    const int32_t* whole_sums = job.rows.sums + row * groups;
    const int32_t zero = bits == 8 ? D::byte_zero : format.zero;
    V out[R][C];
    for (size_t r = 0; r < R; ++r)
      for (size_t c = 0; c < C; ++c) out[r][c] = D::nothing();
    for (size_t g = 0; g < groups; ++g) {
      if (head_bytes != 0 && g % (super_inputs / G) == 0) {
        super = at;
        at += head_bytes;
      }
      if (row == 0) fetch(at + C * strip_bytes, C, strip_bytes, byte_group_bytes(format));
      Sum sums[P][R][C];
#pragma GCC unroll 8
      for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 8
        for (size_t c = 0; c < C; ++c) {
          sums[P - 1][r][c] = D::begin(-zero * whole_sums[r * groups + g]);
          if constexpr (P == 2) sums[0][r][c] = D::begin(0);
        }
      const std::byte* lines = at + scales_bytes;
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
          for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 2
            for (size_t p = 0; p < P; ++p) {
              const auto word = D::word(codes[p] + r * inputs + 4 * (l + half * count));
#pragma GCC unroll 8
              for (size_t c = 0; c < C; ++c)
                sums[p][r][c] = D::template add<bits>(sums[p][r][c], parts[c], word);
            }
        }
      }
#pragma GCC unroll 8
      for (size_t c = 0; c < C; ++c) {
        const std::byte* own = at + c * strip_bytes;
        const std::byte* own_super = super + c * strip_bytes;
        const V scale = numbers(format.scales, own, own_super);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r) {
          Sum whole = sums[0][r][c];
          if constexpr (P == 2) whole = D::joined(whole, sums[1][r][c]);
          out[r][c] =
              D::fma(D::floats(whole), D::times(scale, D::all(row_scales[r * groups + g])), out[r][c]);
        }
        if (!format.has_least) continue;
        const V least = numbers(format.scales, own + number, own_super + 32);
#pragma GCC unroll 8
        for (size_t r = 0; r < R; ++r) out[r][c] = D::fma(least, D::all(row_sums[r * groups + g]), out[r][c]);
      }
      at += byte_group_bytes(format);
      codes[0] += G;
      if constexpr (P == 2) codes[1] += G;
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (size_t c = 0; c < C; ++c)
        D::store(job.sums + (row + r) * job.sums_stride + (strip + c) * 16, out[r][c]);
  }

  template <size_t P, size_t bits, size_t G, size_t R>
  static void strips(const BlockDotsJob& job, size_t row) {
    constexpr size_t wide = R == 1 ? D::wide_of_one : D::wide;
    size_t strip = 0;
    for (; strip + wide <= job.strip_count; strip += wide) tile<P, bits, G, R, wide>(job, row, strip);
    if constexpr (wide > 2)  // Strips are even.
      for (; strip < job.strip_count; strip += 2) tile<P, bits, G, R, 2>(job, row, strip);
  }

  template <size_t P, size_t bits, size_t G>
  static void rows(const BlockDotsJob& job) {
    using Strips = void (*)(const BlockDotsJob&, size_t);
    constexpr Strips by_rows[] = {strips<P, bits, G, 1>, strips<P, bits, G, 2>, strips<P, bits, G, 3>,
                                  strips<P, bits, G, D::rows>};
    size_t tiles = (job.row_count + D::rows - 1) / D::rows;
    for (size_t row = 0; row < job.row_count; --tiles) {
      const size_t count = (job.row_count - row + tiles - 1) / tiles;
      by_rows[count - 1](job, row);
      row += count;
    }
  }

  template <size_t P>
  static void any(const BlockDotsJob& job) {
    if (job.format.code_bits == 4) return job.format.group == 32 ? rows<P, 4, 32>(job) : rows<P, 4, 16>(job);
    job.format.group == 32 ? rows<P, 8, 32>(job) : rows<P, 8, 16>(job);
  }

  static void run(const BlockDotsJob& job) { job.rows.fine == nullptr ? any<1>(job) : any<2>(job); }
};

}  // namespace
}  // namespace holdfast::tensor
