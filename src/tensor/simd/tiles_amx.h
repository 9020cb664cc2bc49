#pragma once

// Sums of rows and strips in AMX tile registers, written once for the tile instructions `Tiles` so that a
// test can run them on emulated ones (machines with AMX are rare). A line of a packed strip is a row of a B
// tile: sixteen lines are one. In an unnamed namespace, as the other files of this folder.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "tensor/products.h"

namespace holdfast::tensor {
namespace {

// What LDTILECFG reads: Intel's manual, volume 1, "tile configuration".
struct alignas(64) TileConfiguration {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfiguration) == 64);

// Registers: 0 to 3 are sums (upper rows by left and right strip, lower rows by both), 4 and 5 rows, 6 and 7
// strips. Lower registers are not used with sixteen rows and fewer.
template <class Tiles>
struct TileSums {
  static constexpr size_t tile_rows = 16;

  static void configure(size_t upper, size_t lower) {
    TileConfiguration wish;
    const auto set = [&](size_t tile, size_t rows) {
      wish.rows[tile] = static_cast<uint8_t>(rows);
      wish.row_bytes[tile] = rows == 0 ? 0 : line_bytes;
    };
    for (size_t tile : {0, 1, 4}) set(tile, upper);
    for (size_t tile : {2, 3, 5}) set(tile, lower);
    for (size_t tile : {6, 7}) set(tile, tile_rows);
    Tiles::configure(wish);
  }

  // What is read soon, so many lines a step: tiles load whole lines, so nothing else would bring weights
  // nearer while the units work.
  struct Ahead {
    const std::byte* at = nullptr;
    const std::byte* end = nullptr;
    size_t lines = 0;

    void fetch() {
      for (size_t i = 0; i < lines && at < end; ++i, at += line_bytes) __builtin_prefetch(at, 0, 2);
    }
  };
  static Ahead ahead_of(const SumsJob& job) {
    Ahead out;
    if (job.next == nullptr || job.next_lines == 0) return out;
    const size_t blocks = (job.row_count + 2 * tile_rows - 1) / (2 * tile_rows) * (job.strip_count / 2);
    const size_t times = std::max<size_t>(1, blocks * job.steps / tile_rows);
    out.at = job.next;
    out.end = job.next + job.next_lines * line_bytes;
    out.lines = (job.next_lines + times - 1) / times;
    return out;
  }

  // Adds a block of up to 32 rows and two strips to its tiles of sums.
  // between(): what else is done after each step's products.
  template <bool both, class Between>
  static void steps(const SumsJob& job, size_t row, size_t strip, Ahead& ahead, Between between) {
    const uint32_t* a = job.rows + row * job.row_words;
    const size_t row_bytes = job.row_words * 4;
    const bool paged = job.pages.first != nullptr;
    const std::byte* beside = paged ? nullptr : job.strips + strip * job.strip_bytes;
    for (size_t step = 0; step < job.steps; step += tile_rows, a += tile_rows) {
      ahead.fetch();
      const std::byte* b = paged ? job.pages.at(strip, step, job.strip_bytes) : beside + step * line_bytes;
      Tiles::template load<4>(a, row_bytes);
      Tiles::template load<6>(b, line_bytes);
      Tiles::template load<7>(b + job.strip_bytes, line_bytes);
      Tiles::template dot<0, 4, 6>();
      Tiles::template dot<1, 4, 7>();
      if constexpr (both) {
        Tiles::template load<5>(a + tile_rows * job.row_words, row_bytes);
        Tiles::template dot<2, 5, 6>();
        Tiles::template dot<3, 5, 7>();
      }
      between();
    }
  }
  template <bool both>
  static void zero() {
    Tiles::template zero<0>();
    Tiles::template zero<1>();
    if constexpr (both) {
      Tiles::template zero<2>();
      Tiles::template zero<3>();
    }
  }
  template <bool both>
  static void store(std::byte* out, size_t bytes) {
    Tiles::template store<0>(out, bytes);
    Tiles::template store<1>(out + line_bytes, bytes);
    if constexpr (both) {
      Tiles::template store<2>(out + tile_rows * bytes, bytes);
      Tiles::template store<3>(out + tile_rows * bytes + line_bytes, bytes);
    }
  }

  template <bool both>
  static void block(const SumsJob& job, size_t row, size_t strip, Ahead& ahead) {
    zero<both>();
    steps<both>(job, row, strip, ahead, [] {});
    auto* out = static_cast<std::byte*>(job.sums) + (row * job.sums_stride + strip * strip_columns) * 4;
    store<both>(out, job.sums_stride * 4);
  }

  static void configure_for(size_t rows) {
    configure(std::min(rows, tile_rows), rows > tile_rows ? rows - tile_rows : 0);
  }

  static void sums(const SumsJob& job) {
    Ahead ahead = ahead_of(job);
    for (size_t row = 0; row < job.row_count;) {
      const size_t rows = std::min(2 * tile_rows, job.row_count - row);
      if (row == 0 || rows < 2 * tile_rows) configure_for(rows);
      for (size_t strip = 0; strip < job.strip_count; strip += 2)
        rows > tile_rows ? block<true>(job, row, strip, ahead) : block<false>(job, row, strip, ahead);
      row += rows;
    }
    if (job.row_count > 0) Tiles::release();
  }
};

}  // namespace
}  // namespace holdfast::tensor
