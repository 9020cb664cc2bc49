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

  static constexpr size_t pair_bytes = 2 * tile_bytes, most_pairs = whole_piece / pair_inputs;
  // Of weights that few rows meet: those of so many pairs of tiles are there, the last ones unpacked so many
  // before they are met. Loads wait for stores before them that are still on their way.
  static constexpr size_t ring = 4, lead = 2;
  static constexpr size_t quarters = 4, quarter_lines = 2;
  template <size_t G>
  static constexpr size_t whole_piece_bytes = line_bytes + whole_piece / G * whole_group_bytes(G);

  // One thread's, kept between calls: a piece's weights, of each 64 inputs a tile of first bytes and one of
  // last ones; and the sums of two pieces.
  struct Scratch {
    Floats weights;
    alignas(64) int32_t whole[2][4][sums] = {};

    int8_t* bytes() {
      if (weights.size() == 0) weights = Floats(most_pairs * pair_bytes / 4);
      return reinterpret_cast<int8_t*>(weights.data());
    }
  };

  // A job's weights in their order: of a strip, of its pieces, of 64 inputs four parts.
  template <size_t G>
  class Source {
   public:
    explicit Source(const WholeDotsJob& job) : job_(job) { begin_strip(); }

    bool ended() const { return strip_ == job_.strip_count; }
    // Goes on with a piece of a strip.
    void go_to(size_t strip, size_t piece) {
      strip_ = strip;
      begin_strip();
      at_ += piece * whole_piece_bytes<G>;
      left_ -= piece * whole_piece;
    }

    // Few instructions, as many lines as are asked for `ahead` bytes further.
    template <size_t quarter>
    [[gnu::always_inline]] inline void part(int8_t* out, size_t ahead) {
      constexpr size_t lines = G / 8, group = quarter * quarter_lines / lines,
                       first = quarter * quarter_lines % lines;
      if (quarter == 0 && pair_ == 0) at_ += line_bytes;
      const std::byte* at = at_ + group * whole_group_bytes(G);
      if (ahead != 0)
        for (size_t l = first == 0 ? 0 : first + 1; l < first + quarter_lines + 1; ++l)
          __builtin_prefetch(at + ahead + l * line_bytes);
      int8_t* to = out + group * 2 * lines * line_bytes;
      if (group * G >= left_) {
        clear(to + first * line_bytes);
        clear(to + (lines + first) * line_bytes);
      } else {
        if constexpr (first == 0) numbers_ = D::spread(at);
#pragma GCC unroll 2
        for (size_t l = first; l < first + quarter_lines; ++l) {
          int8_t *low = to + l * line_bytes, *high = to + (lines + l) * line_bytes;
          D::two_bytes(numbers_, at + line_bytes + l * line_bytes, low, low + tile_bytes, high,
                       high + tile_bytes);
        }
      }
      if constexpr (quarter == quarters - 1) end_pair();
    }
    void pair(int8_t* out, size_t ahead) {
      part<0>(out, ahead);
      part<1>(out, ahead);
      part<2>(out, ahead);
      part<3>(out, ahead);
    }

   private:
    void begin_strip() {
      at_ = job_.strips + strip_ * job_.strip_bytes;
      left_ = job_.inputs;
      pair_ = 0;
    }
    void end_pair() {
      const size_t inputs = std::min(left_, pair_inputs);
      at_ += inputs / G * whole_group_bytes(G);
      left_ -= inputs;
      if (++pair_ == most_pairs) pair_ = 0;
      if (left_ > 0) return;
      ++strip_;
      begin_strip();
    }
    static void clear(int8_t* lines) {
      for (size_t plane : {0, 1})
        std::fill_n(lines + plane * tile_bytes, quarter_lines * line_bytes, int8_t{0});
    }

    const WholeDotsJob& job_;
    const std::byte* at_ = nullptr;
    size_t strip_ = 0, left_ = 0, pair_ = 0;  // Inputs left of the strip; the pair of its piece.
    typename D::Spread numbers_ = {};
  };

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

  static void zero() {
    Tiles::template zero<0>();
    Tiles::template zero<1>();
    Tiles::template zero<2>();
    Tiles::template zero<3>();
  }
  static const int32_t* store(int32_t (&whole)[4][sums]) {
    Tiles::template store<0>(whole[0], line_bytes);
    Tiles::template store<1>(whole[1], line_bytes);
    Tiles::template store<2>(whole[2], line_bytes);
    Tiles::template store<3>(whole[3], line_bytes);
    return whole[0];
  }
  // Rows `a` by weights `b`; between() is called four times.
  template <class Between>
  [[gnu::always_inline]] static inline void multiply(const int8_t* a, const int8_t* b, Between between) {
    Tiles::template load<4>(a, 2 * pair_inputs);
    Tiles::template load<6>(b, line_bytes);
    Tiles::template dot<0, 4, 6>();
    between.template operator()<0>();
    Tiles::template load<5>(a + pair_inputs, 2 * pair_inputs);
    Tiles::template dot<2, 5, 6>();
    between.template operator()<1>();
    Tiles::template load<7>(b + tile_bytes, line_bytes);
    Tiles::template dot_unsigned<1, 4, 7>();
    between.template operator()<2>();
    Tiles::template dot_unsigned<3, 5, 7>();
    between.template operator()<3>();
  }

  // At most sixteen rows: weights are met once, so those that come next are unpacked between the products of
  // these, in pieces so short that the processor sees the next product while it is at one of them.
  template <size_t G>
  static void few(const WholeDotsJob& job, Scratch& own) {
    constexpr size_t ahead = 1920;
    Source<G> source(job);
    int8_t* const weights = own.bytes();
    size_t unpacked = 0, met = 0;  // Places in the ring.
    const auto unpack = [&]<size_t quarter>() __attribute__((always_inline)) {
      if (source.ended()) return;
      source.template part<quarter>(weights + unpacked * pair_bytes, ahead);
      if (quarter == quarters - 1) unpacked = (unpacked + 1) % ring;
    };
    for (size_t i = 0; i < lead && !source.ended(); ++i)
      source.pair(weights + unpacked++ * pair_bytes, ahead);
    configure(job.row_count);
    Ending ending;
    size_t turn = 0;
    for (size_t strip = 0; strip < job.strip_count; ++strip) {
      for (size_t from = 0; from < job.inputs; from += whole_piece) {
        const size_t pairs = WholeRows::pairs(std::min(whole_piece, job.inputs - from));
        const int8_t* a = job.rows.codes + from * 2 * tile_rows;
        const size_t each = (ending.left() + pairs - 1) / pairs;
        zero();
        for (size_t pair = 0; pair < pairs; ++pair, a += tile_rows * 2 * pair_inputs) {
          multiply(a, weights + met * pair_bytes, unpack);
          met = (met + 1) % ring;
          ending.rows(each);
        }
        ending.rows(ending.left());
        ending.begin(job, 0, job.row_count, strip, from / whole_piece, store(own.whole[turn ^= 1]));
      }
    }
    ending.rows(ending.left());
  }

  // More rows: piece by piece, all strips of one before the next, so that of rows that are longer than a
  // piece only so much has to stay in the second-level cache.
  template <size_t G>
  static void many(const WholeDotsJob& job, Scratch& own) {
    const size_t pieces = pieces_of(job.inputs);
    Source<G> source(job);
    int8_t* const weights = own.bytes();
    Ending ending;
    size_t configured = 0, turn = 0;
    for (size_t piece = 0; piece < pieces; ++piece) {
      const size_t inputs = std::min(whole_piece, job.inputs - piece * whole_piece);
      const size_t pairs = WholeRows::pairs(inputs), bytes = line_bytes + inputs / G * whole_group_bytes(G);
      for (size_t strip = 0; strip < job.strip_count; ++strip) {
        source.go_to(strip, piece);
        for (size_t pair = 0; pair < pairs; ++pair) source.pair(weights + pair * pair_bytes, 0);
        // What is unpacked next comes from memory: asked for while the first rows meet this.
        const bool last = strip + 1 == job.strip_count && piece + 1 < pieces;
        const std::byte* next = last ? job.strips + (piece + 1) * whole_piece_bytes<G>
                                     : job.strips + (strip + 1) * job.strip_bytes +
                                           (strip + 1 == job.strip_count ? 0 : piece * whole_piece_bytes<G>);
        const size_t ahead = (bytes + pairs - 1) / pairs;
        for (size_t row = 0; row < job.row_count; row += tile_rows) {
          const size_t rows = std::min(tile_rows, job.row_count - row);
          if (rows != configured) configure(configured = rows);
          const int8_t* a = job.rows.codes + row * WholeRows::row_bytes(job.inputs) +
                            piece * most_pairs * tile_rows * 2 * pair_inputs;
          const size_t each = (ending.left() + pairs - 1) / pairs;
          zero();
          for (size_t pair = 0; pair < pairs; ++pair, a += tile_rows * 2 * pair_inputs) {
            multiply(a, weights + pair * pair_bytes, []<size_t>() {});
            if (row == 0) {
              for (size_t i = 0; i < ahead; i += line_bytes) __builtin_prefetch(next + i);
              next += ahead;
            }
            ending.rows(each);
          }
          ending.rows(ending.left());
          ending.begin(job, row, rows, strip, piece, store(own.whole[turn ^= 1]));
        }
      }
    }
    ending.rows(ending.left());
  }

  static void run(const WholeDotsJob& job, Scratch& own) {
    if (job.row_count == 0 || job.inputs == 0 || job.strip_count == 0) return;
    if (job.row_count <= tile_rows)
      job.group == 32 ? few<32>(job, own) : few<16>(job, own);
    else
      job.group == 32 ? many<32>(job, own) : many<16>(job, own);
    Tiles::release();
  }
};

}  // namespace
}  // namespace holdfast::tensor
