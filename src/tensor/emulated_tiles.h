#pragma once

// AMX tile registers in memory, for tests: machines with AMX are rare. In an unnamed namespace, as simd/ is.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "tensor/simd/tiles_amx.h"

namespace holdfast::tensor {
namespace {

struct Emulated {
  static inline TileConfiguration now;
  static inline bool configured = false;
  static inline std::array<std::array<std::array<uint32_t, 16>, 16>, 8> tiles;

  static void configure(const TileConfiguration& wish) {
    now = wish;
    configured = true;
    for (size_t i = 0; i < 8; ++i) {
      EXPECT_LE(now.rows[i], 16);
      EXPECT_EQ(now.row_bytes[i] == 0, now.rows[i] == 0);
      EXPECT_LE(now.row_bytes[i], 64);
    }
  }
  static void release() { configured = false; }
  static size_t rows(int tile) {
    EXPECT_TRUE(configured);
    EXPECT_GT(now.rows[tile], 0);  // Else the instruction faults.
    return now.rows[tile];
  }
  template <int tile>
  static void zero() {
    rows(tile);
    tiles[tile] = {};
  }
  template <int tile>
  static void load(const void* from, size_t row_bytes) {
    for (size_t r = 0; r < rows(tile); ++r)
      std::memcpy(tiles[tile][r].data(), static_cast<const std::byte*>(from) + r * row_bytes,
                  now.row_bytes[tile]);
  }
  template <int tile>
  static void store(void* to, size_t row_bytes) {
    for (size_t r = 0; r < rows(tile); ++r)
      std::memcpy(static_cast<std::byte*>(to) + r * row_bytes, tiles[tile][r].data(), 64);
  }
  template <int c, int a, int b, class Step>
  static void each(Step step) {
    EXPECT_EQ(rows(c), rows(a));
    EXPECT_EQ(now.row_bytes[a], 4 * rows(b));  // Else the instruction faults.
    for (size_t m = 0; m < rows(c); ++m)
      for (size_t k = 0; k < rows(b); ++k)
        for (size_t n = 0; n < 16; ++n) tiles[c][m][n] = step(tiles[c][m][n], tiles[a][m][k], tiles[b][k][n]);
  }
};

}  // namespace
}  // namespace holdfast::tensor
