#pragma once

// Products with weights quantised in blocks, written once for a type V of sixteen floats (f32x16_*.h). In an
// unnamed namespace, as row_kernels.h is.
#include "tensor/block_format.h"

namespace holdfast::tensor {
namespace {

// few: strips at a time with two rows and more; many: with one.
template <class V, size_t many, size_t few>
struct BlockRows {
  static V scale_of(const BlockFormat& format, const std::byte* at) {
    return format.scale_bytes == 2 ? V::load_half(at) : V::load(reinterpret_cast<const float*>(at));
  }
  static V least_of(const BlockFormat& format, const std::byte* group) {
    return format.has_least ? scale_of(format, group + 16 * format.scale_bytes) : V::all(0);
  }

  template <size_t bits, size_t R, size_t C>
  static void tile(const BlockSumsJob& job, size_t strip) {
    V sums[R][C];
    for (size_t r = 0; r < R; ++r)
      for (size_t c = 0; c < C; ++c) sums[r][c] = V::all(0);
    const BlockFormat format = job.format;
    const size_t bytes = group_bytes(format), scales = scales_bytes(format), strip_bytes = job.strip_bytes;
    const std::byte* group = job.strips + strip * strip_bytes;
    const float* a = job.rows;
    constexpr size_t inputs = bits == 4 ? 2 : 1;
    for (size_t g = 0; g < job.groups; ++g, group += bytes) {
      V scale[C], least[C];
#pragma GCC unroll 8
      for (size_t c = 0; c < C; ++c) {
        scale[c] = scale_of(format, group + c * strip_bytes);
        least[c] = least_of(format, group + c * strip_bytes);
      }
      const std::byte* codes = group + scales;
      for (size_t k = 0; k < format.group; k += inputs, codes += 16, a += inputs) {
#pragma GCC unroll 2
        for (size_t i = 0; i < inputs; ++i)
#pragma GCC unroll 8
          for (size_t c = 0; c < C; ++c) {
            const V w = V::fma(V::template codes<bits>(codes + c * strip_bytes, i), scale[c], least[c]);
#pragma GCC unroll 4
            for (size_t r = 0; r < R; ++r)
              sums[r][c] = V::fma(V::all(a[r * job.row_stride + i]), w, sums[r][c]);
          }
      }
    }
#pragma GCC unroll 4
    for (size_t r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (size_t c = 0; c < C; ++c) sums[r][c].store(job.sums + r * job.sums_stride + (strip + c) * 16);
  }

  template <size_t bits, size_t R>
  static void rows(const BlockSumsJob& job) {
    constexpr size_t wide = R == 1 ? many : few;
    size_t strip = 0;
    for (; strip + wide <= job.strip_count; strip += wide) tile<bits, R, wide>(job, strip);
    if constexpr (wide > 1)
      for (; strip < job.strip_count; ++strip) tile<bits, R, 1>(job, strip);
  }

  static void sums(const BlockSumsJob& job) {
    using Rows = void (*)(const BlockSumsJob&);
    constexpr Rows four[] = {rows<4, 1>, rows<4, 2>, rows<4, 3>, rows<4, 4>};
    constexpr Rows eight[] = {rows<8, 1>, rows<8, 2>, rows<8, 3>, rows<8, 4>};
    if (job.row_count > 0) (job.format.code_bits == 4 ? four : eight)[job.row_count - 1](job);
  }

  template <size_t bits>
  static void widen_as(const WidenJob& job) {
    const BlockFormat format = job.format;
    const std::byte* group = job.strip;
    float* line = job.lines;
    constexpr size_t inputs = bits == 4 ? 2 : 1;
    for (size_t g = 0; g < job.groups; ++g, group += group_bytes(format)) {
      const V scale = scale_of(format, group), least = least_of(format, group);
      const std::byte* codes = group + scales_bytes(format);
      for (size_t k = 0; k < format.group; k += inputs, codes += 16)
        for (size_t i = 0; i < inputs; ++i, line += 16)
          V::fma(V::template codes<bits>(codes, i), scale, least).store(line);
    }
  }
  static void widen(const WidenJob& job) { job.format.code_bits == 4 ? widen_as<4>(job) : widen_as<8>(job); }
};

}  // namespace
}  // namespace holdfast::tensor
