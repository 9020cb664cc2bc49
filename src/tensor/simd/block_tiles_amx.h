#pragma once

// Products of quantised weights with many rows of bytes in AMX tile registers, written once for the tile
// instructions `Tiles` and sixteen floats `D` (dots_avx512.h), so that a test can run them on emulated ones.
// In an unnamed namespace, as the other files of this folder.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "tensor/block_bytes.h"
#include "tensor/buffer.h"
#include "tensor/simd/block_scales.h"
#include "tensor/simd/tiles_amx.h"

namespace holdfast::tensor {
namespace {

// A group's codes are a B tile: a row for each four inputs, sixteen outputs beside each other. Sixteen rows'
// bytes of the group are an A tile, their fine bytes another. Whole sums of one group leave the tiles before
// the next one's are added as floats, so tiles of groups take turns: 0 and 1, then 2 and 3.
template <class Tiles, class D>
struct BlockTiles {
  static constexpr size_t tile_rows = 16;
  using V = typename D::V;

  // One thread's, kept between calls.
  struct Scratch {
    Floats codes;  // A strip's, without their zero: bytes [inputs / 4, 16, 4], aligned to lines.
    alignas(64) int32_t whole[4][tile_rows * strip_columns] = {};

    int8_t* bytes() { return reinterpret_cast<int8_t*>(codes.data()); }
  };

  static void configure(size_t rows, size_t group) {
    TileConfiguration wish;
    const auto set = [&](size_t tile, size_t tile_rows_, size_t bytes) {
      wish.rows[tile] = static_cast<uint8_t>(tile_rows_);
      wish.row_bytes[tile] = static_cast<uint16_t>(bytes);
    };
    for (size_t tile : {0, 1, 2, 3}) set(tile, rows, line_bytes);
    for (size_t tile : {4, 5}) set(tile, rows, group);
    set(6, group / 4, line_bytes);
    Tiles::configure(wish);
  }

  static size_t super_groups(const ByteFormat& format) {
    return super_bytes(format) == 0 ? SIZE_MAX : super_inputs / format.group;
  }

  // Codes of four bits as signed bytes.
  static void widen(const BlockDotsJob& job, const std::byte* strip, int8_t* out) {
    const ByteFormat format = job.format;
    const size_t groups = job.inputs / format.group, half = size_t{8} * format.group;
    for (size_t g = 0; g < groups; ++g, out += 2 * half) {
      if (g % super_groups(format) == 0) strip += super_bytes(format);
      const std::byte* codes = strip + byte_scales_bytes(format);
      for (size_t i = 0; i < half; i += line_bytes)
        D::split(codes + i, static_cast<int8_t>(format.zero), out + i, out + half + i);
      strip += byte_group_bytes(format);
    }
  }

  // What a group of sixteen rows is multiplied with.
  struct Operands {
    const int8_t* codes;
    const int8_t* fine;  // Null: rows have eight bits.
    size_t row_bytes;
  };
  template <int first>
  static void multiply(const Operands& rows, const void* weights) {
    Tiles::template zero<first>();
    Tiles::template load<4>(rows.codes, rows.row_bytes);
    Tiles::template load<6>(weights, line_bytes);
    Tiles::template dot<first, 4, 6>();
  }
  template <int first>
  static void multiply_fine(const Operands& rows) {
    Tiles::template zero<first + 1>();
    Tiles::template load<5>(rows.fine, rows.row_bytes);
    Tiles::template dot<first + 1, 5, 6>();
  }
  template <int first, bool fine>
  static void store(Scratch& own) {
    Tiles::template store<first>(own.whole[first], line_bytes);
    if constexpr (fine) Tiles::template store<first + 1>(own.whole[first + 1], line_bytes);
  }

  // out += scale * whole sum, then the least, as block_bytes.h has it. A whole sum is below 2^24 in each of
  // its halves, so floats hold them and one rounding makes of both what it makes of the whole number.
  template <int first, bool fine, bool least, size_t from>
  [[gnu::always_inline]] static inline void add(const Scratch& own, const float* scales, const float* sums,
                                                V step, V scale, V smallest, V (&out)[tile_rows]) {
#pragma GCC unroll 8
    for (size_t r = from; r < from + tile_rows / 2; ++r) {
      V whole = D::whole(own.whole[first] + r * strip_columns);
      if constexpr (fine) whole = D::fma(whole, step, D::whole(own.whole[first + 1] + r * strip_columns));
      out[r] = D::fma(whole, D::times(scale, D::all(scales[r])), out[r]);
      if constexpr (least) out[r] = D::fma(smallest, D::all(sums[r]), out[r]);
    }
  }

  template <bool fine, bool least>
  static void tile(const BlockDotsJob& job, size_t row, size_t rows, size_t strip, Scratch& own) {
    const ByteFormat format = job.format;
    const size_t group = format.group, groups = job.inputs / group, per_super = super_groups(format);
    const size_t head_bytes = super_bytes(format), group_bytes = byte_group_bytes(format);
    const size_t scales_bytes = byte_scales_bytes(format), number = number_bytes(format.scales);
    const std::byte* at = job.strips + strip * job.strip_bytes;  // Of the group whose sums are added.
    const std::byte* super = at;
    const std::byte* ahead = at;  // Of the group that is multiplied, one further.
    const bool wide = format.code_bits == 8;
    const size_t row_bytes = job.rows.group_bytes(group);
    const int8_t* codes = job.rows.codes + row * job.rows.row_bytes(job.inputs);
    Operands operands{codes, fine ? codes + group : nullptr, row_bytes};
    const float *scales = job.rows.scales + row * groups, *row_sums = job.rows.scaled_sums + row * groups;
    const auto weights = [&](size_t g) -> const void* {
      if (!wide) return own.bytes() + g * group * strip_columns;
      if (g % per_super == 0) ahead += head_bytes;
      const std::byte* lines = ahead + scales_bytes;
      ahead += group_bytes;
      return lines;
    };
    const V step = D::all(static_cast<float>(fine_steps(format)));
    V out[tile_rows];
#pragma GCC unroll 16
    for (size_t r = 0; r < tile_rows; ++r) out[r] = D::nothing();
    // A strip comes from memory while its first rows meet it: what is needed soon is asked for, or the next
    // strip while there are more rows to come.
    const size_t ahead_bytes = job.row_count <= tile_rows ? 4 * group_bytes : job.strip_bytes;
    // Of group g the products of the rows' bytes, of their fine ones, and between them the sums of the group
    // two before, whose registers are stored a group later: units that multiply and units that add then both
    // have work among the instructions that the processor looks at.
    const auto turn = [&]<int first>(size_t g) __attribute__((always_inline)) {
      V scale = D::nothing(), smallest = scale;
      const bool adds = g >= 2, multiplies = g < groups;
      if (multiplies) multiply<first>(operands, weights(g));
      if (adds) {
        if (row == 0)
          for (size_t i = 0; i < group_bytes; i += line_bytes) __builtin_prefetch(at + ahead_bytes + i);
        if (head_bytes != 0 && (g - 2) % per_super == 0) {
          super = at;
          at += head_bytes;
        }
        scale = numbers_at<D>(format.scales, at, super);
        if constexpr (least) smallest = numbers_at<D>(format.scales, at + number, super + 32);
        at += group_bytes;
        add<first, fine, least, 0>(own, scales, row_sums, step, scale, smallest, out);
      }
      if constexpr (fine)
        if (multiplies) multiply_fine<first>(operands);
      if (g >= 1 && g <= groups) store<2 - first, fine>(own);
      if (adds) {
        add<first, fine, least, tile_rows / 2>(own, scales, row_sums, step, scale, smallest, out);
        scales += tile_rows;
        row_sums += tile_rows;
      }
      operands.codes += tile_rows * row_bytes;
      if constexpr (fine) operands.fine += tile_rows * row_bytes;
    };
    for (size_t g = 0; g < groups + 2; g += 2) {
      turn.template operator()<0>(g);
      if (g + 1 < groups + 2) turn.template operator()<2>(g + 1);
    }
    float* sums = job.sums + row * job.sums_stride + strip * strip_columns;
#pragma GCC unroll 16
    for (size_t r = 0; r < tile_rows; ++r)  // Constant places, so that they stay in registers.
      if (r < rows) D::store(sums + r * job.sums_stride, out[r]);
  }

  static void run(const BlockDotsJob& job, Scratch& own) {
    using Tile = void (*)(const BlockDotsJob&, size_t, size_t, size_t, Scratch&);
    const bool fine = job.rows.fine, least = job.format.has_least;
    const Tile one = fine ? (least ? tile<true, true> : tile<true, false>)
                          : (least ? tile<false, true> : tile<false, false>);
    const size_t group = job.format.group, groups = job.inputs / group;
    if (job.row_count == 0 || groups == 0) return;
    const bool narrow = job.format.code_bits == 4;
    const size_t floats = job.inputs * strip_columns / 4;
    if (narrow && own.codes.size() < floats) own.codes = Floats(floats);
    size_t configured = 0;
    for (size_t strip = 0; strip < job.strip_count; ++strip) {
      if (narrow) widen(job, job.strips + strip * job.strip_bytes, own.bytes());
      for (size_t row = 0; row < job.row_count; row += tile_rows) {
        const size_t rows = std::min(tile_rows, job.row_count - row);
        if (rows != configured) configure(configured = rows, group);
        one(job, row, rows, strip, own);
      }
    }
    Tiles::release();
  }
};

}  // namespace
}  // namespace holdfast::tensor
