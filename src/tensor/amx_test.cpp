// The tile kernels on emulated tile registers: what they load, multiply and store, against the plain sums.
// The instructions themselves are tested by linear_test.cpp on machines that have them.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/kernels.h"
#include "tensor/precision.h"
#include "tensor/simd/block_tiles_amx.h"
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

struct EmulatedPairs : Emulated {
  template <int c, int a, int b>
  static void dot() {
    each<c, a, b>([](uint32_t sum, uint32_t x, uint32_t y) {
      const auto wide = [](uint32_t half) { return std::bit_cast<float>(half << 16); };
      float total = std::bit_cast<float>(sum);
      total = std::fma(wide(x & 0xFFFFU), wide(y & 0xFFFFU), total);
      return std::bit_cast<uint32_t>(std::fma(wide(x >> 16), wide(y >> 16), total));
    });
  }
};

struct EmulatedBytes : Emulated {
  template <int c, int a, int b>
  static void dot() {
    each<c, a, b>([](uint32_t sum, uint32_t x, uint32_t y) {
      for (unsigned at = 0; at < 32; at += 8)
        sum +=
            static_cast<uint32_t>(static_cast<int32_t>(x >> at & 255U) * static_cast<int8_t>(y >> at & 255U));
      return sum;
    });
  }
};

struct EmulatedCodes : Emulated {
  template <int c, int a, int b>
  static void dot() {
    each<c, a, b>([](uint32_t sum, uint32_t x, uint32_t y) {
      for (unsigned at = 0; at < 32; at += 8)
        sum +=
            static_cast<uint32_t>(static_cast<int8_t>(x >> at & 255U) * static_cast<int8_t>(y >> at & 255U));
      return sum;
    });
  }
};

// Sixteen floats, as dots_avx512.h has them.
struct PlainLanes {
  using V = std::array<float, 16>;
  template <class Make>
  static V each(Make make) {
    V out;
    for (size_t i = 0; i < 16; ++i) out[i] = make(i);
    return out;
  }
  template <class Number>
  static Number at(const void* from, size_t i) {
    Number out;
    std::memcpy(&out, static_cast<const std::byte*>(from) + i * sizeof(Number), sizeof(Number));
    return out;
  }
  static V nothing() { return all(0); }
  static V all(float x) {
    return each([=](size_t) { return x; });
  }
  static V times(V a, V b) {
    return each([&](size_t i) { return a[i] * b[i]; });
  }
  static V fma(V a, V b, V c) {
    return each([&](size_t i) { return std::fma(a[i], b[i], c[i]); });
  }
  static V halves(const std::byte* from) {
    return each([=](size_t i) { return from_half(at<uint16_t>(from, i)); });
  }
  static V singles(const std::byte* from) {
    return each([=](size_t i) { return at<float>(from, i); });
  }
  static V bytes(const std::byte* from) {
    return each([=](size_t i) { return static_cast<float>(at<int8_t>(from, i)); });
  }
  static void split(const std::byte* from, int8_t zero, int8_t* low, int8_t* high) {
    for (size_t i = 0; i < 64; ++i) {
      low[i] = static_cast<int8_t>((at<uint8_t>(from, i) & 15) - zero);
      high[i] = static_cast<int8_t>((at<uint8_t>(from, i) >> 4) - zero);
    }
  }
  static V whole(const int32_t* from) {
    return each([=](size_t i) { return static_cast<float>(from[i]); });
  }
  static void store(float* to, V v) { std::copy(v.begin(), v.end(), to); }
};

// Random codes whose scales are small ordinary numbers.
std::vector<std::byte> random_strips(std::mt19937& random, const BlockDotsJob& job) {
  std::vector<std::byte> out(job.strip_count * job.strip_bytes);
  for (std::byte& byte : out) byte = static_cast<std::byte>(random());
  const auto tame = [](std::byte* at, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) at[i] &= std::byte{0xBB};
  };
  for (size_t strip = 0; strip < job.strip_count; ++strip) {
    std::byte* at = out.data() + strip * job.strip_bytes;
    for (size_t g = 0; g < job.inputs / job.format.group; ++g, at += byte_group_bytes(job.format)) {
      if (super_bytes(job.format) != 0 && g * job.format.group % super_inputs == 0) {
        tame(at, super_bytes(job.format));
        at += super_bytes(job.format);
      }
      if (job.format.scales != ByteFormat::Scales::parts) tame(at, byte_scales_bytes(job.format));
    }
  }
  return out;
}

TEST(Amx, TilesOfBlocksAddUpToThePlainSums) {
  using Blocks = BlockTiles<EmulatedCodes, PlainLanes>;
  constexpr ByteFormat::Scales kinds[] = {ByteFormat::Scales::half, ByteFormat::Scales::single,
                                          ByteFormat::Scales::parts};
  std::mt19937 random(63);  // Seed 63.
  Blocks::Scratch scratch;
  for (int round = 0; round < 72; ++round) {
    BlockDotsJob job;
    job.format.code_bits = round % 2 == 0 ? 4 : 8;
    job.format.group = round / 2 % 2 == 0 ? 32 : 16;
    job.format.has_least = round / 4 % 2 == 0;
    job.format.scales = kinds[round / 8 % 3];
    job.format.zero = job.format.code_bits == 4 && !job.format.has_least ? 8 : 0;
    job.inputs = super_bytes(job.format) != 0 ? super_inputs * (1 + random() % 2) : 32 * (1 + random() % 5);
    job.row_count = random() % 40;
    job.strip_count = 2 * (1 + random() % 2);
    job.strip_bytes = byte_strip_bytes(job.format, job.inputs);
    job.sums_stride = job.strip_count * strip_columns;
    const std::vector<std::byte> strips = random_strips(random, job);
    const size_t groups = job.inputs / job.format.group;
    std::vector<int8_t> codes(job.row_count * job.inputs), fine(codes.size());
    for (int8_t& code : codes) code = static_cast<int8_t>(int(random() % 255) - 127);
    for (int8_t& code : fine) code = static_cast<int8_t>(int(random() % 255) - 127);
    std::vector<float> scales(job.row_count * groups), scaled_sums(scales.size());
    for (float& scale : scales) scale = static_cast<float>(random() % 1000) / 7777;
    for (float& sum : scaled_sums) sum = static_cast<float>(random() % 1000) / 77 - 6;
    std::vector<int32_t> sums(scales.size());
    job.strips = strips.data();
    job.rows = {codes.data(), round / 24 % 3 == 2 ? nullptr : fine.data(), scales.data(), scaled_sums.data(),
                sums.data()};
    std::vector<float> expected(job.row_count * job.sums_stride), got(expected.size());
    job.sums = expected.data();
    plain_kernels.block_dots(job);
    job.sums = got.data();
    Blocks::run(job, scratch);
    ASSERT_EQ(got, expected) << "round " << round;
    EXPECT_FALSE(Emulated::configured);
  }
}

template <class Tiles>
void compare(Precision precision, uint32_t word_mask) {
  std::mt19937 random(61);  // Seed 61.
  for (int round = 0; round < 60; ++round) {
    SumsJob job;
    job.row_count = random() % 75;
    job.strip_count = 2 * (1 + random() % 3);
    job.steps = 16 * (1 + random() % 4);
    job.row_words = job.steps + 16;
    job.strip_bytes = job.steps * line_bytes;
    job.sums_stride = job.strip_count * strip_columns;
    // Exactly as long as the job says, so that the address sanitizer sees a row too many.
    std::vector<uint32_t> rows(job.row_count == 0 ? 0 : job.row_count * job.row_words - 16);
    std::vector<uint32_t> strips(job.strip_count * job.steps * 16);
    for (uint32_t& word : rows) word = static_cast<uint32_t>(random()) & word_mask;
    for (uint32_t& word : strips) word = static_cast<uint32_t>(random()) & word_mask;
    job.rows = rows.data();
    job.strips = reinterpret_cast<const std::byte*>(strips.data());
    std::vector<uint32_t> expected(job.row_count * job.sums_stride), got(expected.size());
    job.sums = expected.data();
    plain_kernels.products[static_cast<size_t>(precision)].sums(job);
    job.sums = got.data();
    TileSums<Tiles>::sums(job);
    EXPECT_EQ(got, expected) << "round " << round;
    EXPECT_FALSE(Emulated::configured);
  }
}

TEST(Amx, TilesOfBytesAddUpToThePlainSums) { compare<EmulatedBytes>(Precision::int8, 0xFFFFFFFFU); }
// Without the top exponent bit, so that there are no infinities.
TEST(Amx, TilesOfPairsAddUpToThePlainSums) { compare<EmulatedPairs>(Precision::bf16, 0xBFFFBFFFU); }

}  // namespace
}  // namespace holdfast::tensor
