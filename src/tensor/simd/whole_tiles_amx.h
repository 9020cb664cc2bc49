#pragma once

// Products of whole numbers (whole_format.h) in AMX tile registers: weights become two bytes each, and both
// are multiplied with both of the rows. For tile instructions `Tiles` and sixteen numbers `D`, as
// block_tiles_amx.h. In an unnamed namespace, as the other files of this folder.
#include <algorithm>

#include "tensor/buffer.h"
#include "tensor/simd/tiles_amx.h"
#include "tensor/whole_format.h"

namespace holdfast::tensor {
namespace {

// Registers: 0 to 3 are sums (first bytes of rows by first and last bytes of weights, fine ones by both), 4
// and 5 rows, 6 and 7 weights.
template <class Tiles, class D>
struct WholeTiles {
  static constexpr size_t tile_rows = 16, sums = tile_rows * strip_columns, tile_bytes = 16 * line_bytes;

  // One thread's, kept between calls: a piece's weights, of each 64 inputs a tile of first bytes and one of
  // last ones; and the sums of two pieces.
  struct Scratch {
    Floats weights;
    alignas(64) int32_t whole[2][4][sums] = {};

    int8_t* bytes() { return reinterpret_cast<int8_t*>(weights.data()); }
  };

  // The weights of a piece of a strip, from its scales on.
  template <size_t G>
  static void unpack(const std::byte* at, size_t inputs, int8_t* out) {
    constexpr size_t lines = G / 8;
    at += line_bytes;
    for (size_t k = 0; k < inputs; k += G, at += whole_group_bytes(G)) {
      const auto numbers = D::spread(at);
      // The row of its tiles that four inputs are in.
      int8_t* to = out + k / pair_inputs * 2 * tile_bytes + k % pair_inputs / 4 * line_bytes;
#pragma GCC unroll 4
      for (size_t l = 0; l < lines; ++l) {
        int8_t *low = to + l * line_bytes, *high = to + (lines + l) * line_bytes;
        D::two_bytes(numbers, at + line_bytes + l * line_bytes, low, low + tile_bytes, high,
                     high + tile_bytes);
      }
    }
    const size_t over = inputs % pair_inputs;
    if (over == 0) return;
    int8_t* last = out + inputs / pair_inputs * 2 * tile_bytes + over / 4 * line_bytes;
    for (size_t plane : {0, 1})
      std::fill_n(last + plane * tile_bytes, tile_bytes - over / 4 * line_bytes, int8_t{0});
  }

  static void configure(size_t rows) {
    TileConfiguration wish;
    for (size_t tile = 0; tile < 8; ++tile) {
      wish.rows[tile] = static_cast<uint8_t>(tile < 6 ? rows : tile_rows);
      wish.row_bytes[tile] = line_bytes;
    }
    Tiles::configure(wish);
  }

  // The end of a piece: its sums are added to what the pieces before left.
  class Ending {
   public:
    void begin(const WholeDotsJob& job, size_t row, size_t rows, size_t strip, size_t piece,
               const int32_t* whole) {
      pieces_ = pieces_of(job.inputs);
      piece_ = piece;
      whole_ = whole;
      left_ = rows;
      scales_ = job.rows.scales + row * pieces_ + piece;
      strip_scales_ = job.strips + strip * job.strip_bytes +
                      piece * (line_bytes + whole_piece / job.group * whole_group_bytes(job.group));
      out_ = job.sums + row * job.sums_stride + strip * strip_columns;
      stride_ = job.sums_stride;
    }
    // The next `count` rows, if there are so many.
    [[gnu::always_inline]] inline void rows(size_t count) {
      count = std::min(count, left_);
      if (count == 0) return;
      left_ -= count;
      const auto scale = D::singles(strip_scales_);
      for (; count > 0; --count) {
        const auto first = D::shifted_sum(whole_, whole_ + sums),
                   fine = D::shifted_sum(whole_ + 2 * sums, whole_ + 3 * sums);
        const auto value = D::fma(D::floats(first), D::all(whole_steps), D::floats(fine));
        const auto before = piece_ == 0 ? D::nothing() : D::singles(reinterpret_cast<const std::byte*>(out_));
        D::store(out_, D::fma(value, D::times(scale, D::all(*scales_)), before));
        whole_ += strip_columns;
        scales_ += pieces_;
        out_ += stride_;
      }
    }
    size_t left() const { return left_; }

   private:
    const int32_t* whole_ = nullptr;
    const float* scales_ = nullptr;
    const std::byte* strip_scales_ = nullptr;
    float* out_ = nullptr;
    size_t stride_ = 0, pieces_ = 0, piece_ = 0, left_ = 0;
  };

  static void run(const WholeDotsJob& job, Scratch& own) {
    const size_t pieces = pieces_of(job.inputs), group_bytes = whole_group_bytes(job.group);
    if (job.row_count == 0 || pieces == 0) return;
    constexpr size_t most = whole_piece / pair_inputs;
    if (own.weights.size() == 0) own.weights = Floats(most * 2 * tile_bytes / 4);
    Ending ending;
    size_t configured = 0, turn = 0;
    for (size_t strip = 0; strip < job.strip_count; ++strip) {
      const std::byte* at = job.strips + strip * job.strip_bytes;
      for (size_t piece = 0; piece < pieces; ++piece) {
        const size_t inputs = std::min(whole_piece, job.inputs - piece * whole_piece);
        const size_t pairs = WholeRows::pairs(inputs), bytes = line_bytes + inputs / job.group * group_bytes;
        job.group == 32 ? unpack<32>(at, inputs, own.bytes()) : unpack<16>(at, inputs, own.bytes());
        // The next strip comes from memory: asked for while the first rows meet this one.
        const std::byte* next = at + job.strip_bytes;
        const size_t ahead = (bytes + pairs - 1) / pairs;
        for (size_t row = 0; row < job.row_count; row += tile_rows) {
          const size_t rows = std::min(tile_rows, job.row_count - row);
          if (rows != configured) configure(configured = rows);
          const int8_t* a = job.rows.codes + row * WholeRows::row_bytes(job.inputs) +
                            piece * most * tile_rows * 2 * pair_inputs;
          const int8_t* b = own.bytes();
          const size_t each = (ending.left() + pairs - 1) / pairs;
          Tiles::template zero<0>();
          Tiles::template zero<1>();
          Tiles::template zero<2>();
          Tiles::template zero<3>();
          for (size_t pair = 0; pair < pairs; ++pair, a += tile_rows * 2 * pair_inputs, b += 2 * tile_bytes) {
            Tiles::template load<4>(a, 2 * pair_inputs);
            Tiles::template load<6>(b, line_bytes);
            Tiles::template dot<0, 4, 6>();
            Tiles::template load<5>(a + pair_inputs, 2 * pair_inputs);
            Tiles::template dot<2, 5, 6>();
            Tiles::template load<7>(b + tile_bytes, line_bytes);
            Tiles::template dot_unsigned<1, 4, 7>();
            Tiles::template dot_unsigned<3, 5, 7>();
            if (row == 0) {
              for (size_t i = 0; i < ahead; i += line_bytes) __builtin_prefetch(next + i);
              next += ahead;
            }
            ending.rows(each);
          }
          ending.rows(ending.left());
          int32_t(&whole)[4][sums] = own.whole[turn ^= 1];
          Tiles::template store<0>(whole[0], line_bytes);
          Tiles::template store<1>(whole[1], line_bytes);
          Tiles::template store<2>(whole[2], line_bytes);
          Tiles::template store<3>(whole[3], line_bytes);
          ending.begin(job, row, rows, strip, piece, whole[0]);
        }
        at += bytes;
      }
    }
    ending.rows(ending.left());
    Tiles::release();
  }
};

}  // namespace
}  // namespace holdfast::tensor
