// The tile kernels of quantised blocks on emulated tile registers, against the plain sums.
// The instructions themselves are tested by block_linear_test.cpp on machines that have them.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/emulated_tiles.h"
#include "tensor/kernels.h"
#include "tensor/simd/block_tiles_amx.h"

namespace holdfast::tensor {
namespace {

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

TEST(BlockTiles, AddUpToThePlainSums) {
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
    job.rows.fine = round / 24 % 3 != 2;
    job.rows.lanes = lanes_of_many;
    std::vector<int8_t> codes((job.row_count + 15) / 16 * 16 * job.rows.row_bytes(job.inputs));
    for (int8_t& code : codes) code = static_cast<int8_t>(int(random() % 255) - 127);
    std::vector<float> scales((job.row_count + 15) / 16 * 16 * groups), scaled_sums(scales.size());
    for (float& scale : scales) scale = static_cast<float>(random() % 1000) / 7777;
    for (float& sum : scaled_sums) sum = static_cast<float>(random() % 1000) / 77 - 6;
    std::vector<int32_t> sums(scales.size());
    job.strips = strips.data();
    job.rows.codes = codes.data();
    job.rows.scales = scales.data();
    job.rows.scaled_sums = scaled_sums.data();
    job.rows.sums = sums.data();
    std::vector<float> expected(job.row_count * job.sums_stride), got(expected.size());
    job.sums = expected.data();
    plain_kernels.block_dots(job);
    job.sums = got.data();
    Blocks::run(job, scratch);
    ASSERT_EQ(got, expected) << "round " << round;
    EXPECT_FALSE(Emulated::configured);
  }
}

}  // namespace
}  // namespace holdfast::tensor
