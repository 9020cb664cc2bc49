#pragma once

// Weights of four bits met by rows that have fine bytes, in AMX tile registers, one product a group of
// inputs: a row's first and fine bytes of the group lie beside each other in the A tile, and the B tile has
// sixteen times the codes above the codes. For tile instructions `Tiles` and sixteen floats `D`, as
// block_tiles_amx.h. In an unnamed namespace, as the other files of this folder.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "tensor/block_bytes.h"
#include "tensor/buffer.h"
#include "tensor/simd/block_scales.h"
#include "tensor/simd/tiles_amx.h"

namespace holdfast::tensor {
namespace {

template <class Tiles, class D>
struct JoinedTiles {
  static constexpr size_t tile_rows = 16, sums = tile_rows * strip_columns;
  using V = typename D::V;

  // One thread's, kept between calls: a strip as products want it.
  struct Scratch {
    Floats codes;    // [groups], a B tile each; aligned to lines, as tiles load whole ones
    Floats numbers;  // [groups, 2, 16]: scales, leasts
    alignas(64) int32_t whole[4][sums] = {};

    int8_t* bytes() { return reinterpret_cast<int8_t*>(codes.data()); }
    const int8_t* bytes() const { return reinterpret_cast<const int8_t*>(codes.data()); }
  };

  static bool takes(const BlockDotsJob& job) {
    return job.format.code_bits == 4 && job.rows.fine && job.rows.lanes == tile_rows;
  }

  static void unpack(const BlockDotsJob& job, const std::byte* at, Scratch& own) {
    const ByteFormat format = job.format;
    const size_t groups = job.inputs / format.group, half = size_t{8} * format.group;
    const size_t head = super_bytes(format), size = byte_group_bytes(format),
                 of = number_bytes(format.scales);
    const size_t scales = byte_scales_bytes(format), per_super = super_inputs / format.group;
    const auto zero = static_cast<int8_t>(format.zero);
    const std::byte* super = at;
    int8_t* out = own.bytes();
    float* numbers = own.numbers.data();
    for (size_t g = 0; g < groups; ++g, out += 4 * half, numbers += 2 * strip_columns, at += size) {
      if (head != 0 && g % per_super == 0) {
        super = at;
        at += head;
      }
      D::store(numbers, numbers_at<D>(format.scales, at, super));
      if (format.has_least)
        D::store(numbers + strip_columns, numbers_at<D>(format.scales, at + of, super + 32));
      for (size_t i = 0; i < half; i += line_bytes)
        D::split_fine(at + scales + i, zero, out + 2 * half + i, out + 3 * half + i, out + i, out + half + i);
    }
  }

  static void configure(size_t rows, size_t bytes) {
    TileConfiguration wish;
    const auto set = [&](size_t tile, size_t rows_of_tile, size_t row_bytes) {
      wish.rows[tile] = static_cast<uint8_t>(rows_of_tile);
      wish.row_bytes[tile] = static_cast<uint16_t>(row_bytes);
    };
    for (size_t tile : {0, 1}) set(tile, rows, line_bytes);
    for (size_t tile : {4, 5}) set(tile, rows, bytes);
    for (size_t tile : {6, 7}) set(tile, bytes / 4, line_bytes);
    Tiles::configure(wish);
  }

  // What sixteen rows and a strip are to a tile of sums.
  struct Place {
    const int8_t* rows;
    const float *scales, *row_sums;
    size_t groups, row_bytes;  // row_bytes: of a group.
    const std::byte* next;     // The next strip, which comes from memory: asked for meanwhile. Null: none.
    size_t next_bytes;         // A group.
    size_t count;              // Of rows.
    float* out;
    size_t out_stride;
  };

  // Where the next group of each is: few numbers, as what does not fit into general registers is fetched back
  // from vector ones, behind the sums that wait there.
  struct At {
    const int8_t *rows, *codes;
    const float *scales, *row_sums, *numbers;
  };
  template <int to, bool is_signed>
  [[gnu::always_inline]] static inline void multiply(At& at, size_t row_bytes) {
    Tiles::template zero<to>();
    Tiles::template load<4 + to>(at.rows, row_bytes);
    Tiles::template load<6 + to>(at.codes, line_bytes);
    if constexpr (is_signed)
      Tiles::template dot<to, 4 + to, 6 + to>();
    else
      Tiles::template dot_unsigned<to, 4 + to, 6 + to>();
    at.rows += tile_rows * row_bytes;
    at.codes += tile_rows * row_bytes;
  }

  // out += scale * whole sum, then the least, as block_bytes.h has it.
  template <bool least>
  [[gnu::always_inline]] static inline void add(At& at, const int32_t* whole, V (&out)[tile_rows]) {
    const auto* numbers = reinterpret_cast<const std::byte*>(at.numbers);
    const V scale = D::singles(numbers), smallest = D::singles(numbers + line_bytes);
#pragma GCC unroll 16
    for (size_t r = 0; r < tile_rows; ++r) {
      out[r] = D::fma(D::whole(whole + r * strip_columns), D::times(scale, D::all(at.scales[r])), out[r]);
      if constexpr (least) out[r] = D::fma(smallest, D::all(at.row_sums[r]), out[r]);
    }
    at.scales += tile_rows;
    at.row_sums += tile_rows;
    at.numbers += 2 * strip_columns;
  }

  // Two groups' products go on while the sums of the two before are added as floats.
  template <bool is_signed, bool least>
  static void tile(const Place& place, Scratch& own) {
    At at{place.rows, own.bytes(), place.scales, place.row_sums, own.numbers.data()};
    const size_t row_bytes = place.row_bytes;
    V out[tile_rows];
#pragma GCC unroll 16
    for (size_t r = 0; r < tile_rows; ++r) out[r] = D::nothing();
    const std::byte* next = place.next;
    size_t left = place.groups;  // To be added.
    int32_t *now = own.whole[0], *then = own.whole[2];
    multiply<0, is_signed>(at, row_bytes);
    if (left > 1) multiply<1, is_signed>(at, row_bytes);
    Tiles::template store<0>(now, line_bytes);
    if (left > 1) Tiles::template store<1>(now + sums, line_bytes);
    for (; left >= 4; left -= 2, std::swap(now, then)) {
      multiply<0, is_signed>(at, row_bytes);
      multiply<1, is_signed>(at, row_bytes);
      if (next != nullptr)
        for (const std::byte* end = next + 2 * place.next_bytes; next < end; next += line_bytes)
          __builtin_prefetch(next);
      add<least>(at, now, out);
      add<least>(at, now + sums, out);
      Tiles::template store<0>(then, line_bytes);
      Tiles::template store<1>(then + sums, line_bytes);
    }
    if (left == 3) multiply<0, is_signed>(at, row_bytes);
    add<least>(at, now, out);
    if (left > 1) add<least>(at, now + sums, out);
    if (left == 3) {
      Tiles::template store<0>(then, line_bytes);
      add<least>(at, then, out);
    }
    float* to = place.out;
    const size_t stride = place.out_stride, count = place.count;
    if (count == tile_rows) {
#pragma GCC unroll 16
      for (size_t r = 0; r < tile_rows; ++r) D::store(to + r * stride, out[r]);
      return;
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < tile_rows; ++r)  // Constant places, so that they stay in registers.
      if (r < count) D::store(to + r * stride, out[r]);
  }

  static void run(const BlockDotsJob& job, Scratch& own) {
    using Tile = void (*)(const Place&, Scratch&);
    const bool least = job.format.has_least;
    const Tile one = job.format.zero == 0 ? (least ? tile<false, true> : tile<false, false>)
                                          : (least ? tile<true, true> : tile<true, false>);
    const size_t group = job.format.group, groups = job.inputs / group;
    if (job.row_count == 0 || groups == 0) return;
    const size_t floats = job.inputs * strip_columns / 2;
    if (own.codes.size() < floats) own.codes = Floats(floats);
    if (own.numbers.size() < 2 * groups * strip_columns) own.numbers = Floats(2 * groups * strip_columns);
    size_t configured = 0;
    for (size_t strip = 0; strip < job.strip_count; ++strip) {
      const std::byte* at = job.strips + strip * job.strip_bytes;
      unpack(job, at, own);
      for (size_t row = 0; row < job.row_count; row += tile_rows) {
        const size_t rows = std::min(tile_rows, job.row_count - row);
        if (rows != configured) configure(configured = rows, 2 * group);
        one({job.rows.codes + row * 2 * job.inputs, job.rows.scales + row * groups,
             job.rows.scaled_sums + row * groups, groups, 2 * group,
             row == 0 ? at + job.strip_bytes : nullptr, job.strip_bytes / groups, rows,
             job.sums + row * job.sums_stride + strip * strip_columns, job.sums_stride},
            own);
      }
    }
    Tiles::release();
  }
};

}  // namespace
}  // namespace holdfast::tensor
