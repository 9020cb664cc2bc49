// Products of quantised weights with rows of bytes: every instruction set of the machine against the plain
// twin.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "tensor/blocks.h"
#include "tensor/kernels.h"

namespace holdfast::tensor {
namespace {

// Random weights of a random format, and rows.
struct Product {
  BlockDotsJob job;
  std::vector<std::byte> strips;
  std::vector<int8_t> codes;
  std::vector<float> scales, scaled_sums;
  std::vector<int32_t> sums;

  Product(std::mt19937& random, size_t code_bits, size_t lanes) {
    ByteFormat& format = job.format;
    format.code_bits = static_cast<uint8_t>(code_bits);
    format.group = random() % 2 == 0 ? 32 : 16;
    format.zero = code_bits == 4 && random() % 2 == 0 ? 8 : 0;
    format.has_least = random() % 2 == 0;
    constexpr ByteFormat::Scales kinds[] = {ByteFormat::Scales::half, ByteFormat::Scales::single,
                                            ByteFormat::Scales::parts};
    format.scales = kinds[random() % 3];
    const size_t unit = format.scales == ByteFormat::Scales::parts ? super_inputs : format.group;
    job.inputs = unit * (1 + random() % (2500 / unit));
    job.row_count = random() % 24;
    job.strip_count = 2 * (1 + random() % 2);
    job.strip_bytes = byte_strip_bytes(format, job.inputs);
    job.sums_stride = job.strip_count * 16;
    strips.resize(job.strip_count * job.strip_bytes);
    // Codes of eight bits as far from zero as they can be, now and then.
    const int extreme = static_cast<int>(random() % 8);
    for (std::byte& byte : strips)
      byte = static_cast<std::byte>(extreme == 0 ? 0x80 : extreme == 1 ? 0x7F : random() & 255);
    for (size_t strip = 0; strip < job.strip_count; ++strip)
      numbers(random, strips.data() + strip * job.strip_bytes);
    rows(random, lanes);
    job.strips = strips.data();
  }

 private:
  void rows(std::mt19937& random, size_t lanes) {
    const size_t padded = (job.row_count + 15) / 16 * 16, groups = job.inputs / job.format.group;
    job.rows.fine = random() % 3 != 0;
    job.rows.lanes = lanes;
    codes.resize(padded * job.rows.row_bytes(job.inputs));
    scales.resize(padded * groups);
    scaled_sums.resize(padded * groups);
    sums.resize(padded * groups);
    job.rows.codes = codes.data();
    job.rows.scales = scales.data();
    job.rows.scaled_sums = scaled_sums.data();
    job.rows.sums = sums.data();
    std::normal_distribution<float> normal(0, 1);
    std::vector<float> in(job.row_count * job.inputs);
    const bool greatest = random() % 4 == 0;  // Sums as large as they can be.
    for (float& x : in) x = greatest ? 1.0F : normal(random);
    QuantizeJob rounding;
    rounding.in = in.data();
    rounding.rows = job.row_count;
    rounding.inputs = rounding.in_stride = job.inputs;
    rounding.group = job.format.group;
    rounding.steps = fine_steps(job.format);
    rounding.out = job.rows;
    plain_kernels.quantize(rounding);
  }
  // Scales and leasts that are numbers.
  void numbers(std::mt19937& random, std::byte* at) const {
    const auto halves = [&](std::byte* to, size_t count) {
      for (size_t i = 0; i < count; ++i) {
        const uint16_t half = half_that_equals(std::ldexp(static_cast<float>(random() % 2000), -12));
        std::memcpy(to + 2 * i, &half, 2);
      }
    };
    const ByteFormat format = job.format;
    const size_t bytes = byte_scales_bytes(format);
    for (size_t g = 0; g < job.inputs / format.group; ++g, at += byte_group_bytes(format)) {
      if (super_bytes(format) != 0 && g * format.group % super_inputs == 0) {
        halves(at, super_bytes(format) / 2);
        at += super_bytes(format);
      }
      if (format.scales == ByteFormat::Scales::half) halves(at, bytes / 2);
      if (format.scales != ByteFormat::Scales::single) continue;
      for (size_t i = 0; i < bytes; i += 4) {
        const float scale = static_cast<float>(random() % 1000) / 777;
        std::memcpy(at + i, &scale, 4);
      }
    }
  }
};

TEST(BlockDots, AreThePlainOnesOnEveryInstructionSet) {
  std::mt19937 random(76);  // Seed 76.
  for (int round = 0; round < 120; ++round) {
    Product product(random, round % 4 == 0 ? 4 : 8, round % 3 == 0 ? 1 : 16);
    BlockDotsJob job = product.job;
    std::vector<float> expected(job.row_count * job.sums_stride), got(expected.size());
    job.sums = expected.data();
    plain_kernels.block_dots(job);
    for (Isa isa : isas_of_this_machine()) {
      std::fill(got.begin(), got.end(), NAN);
      job.sums = got.data();
      kernels_for(isa).block_dots(job);
      ASSERT_EQ(got, expected) << isa_name(isa) << " round " << round << ", " << job.inputs << " inputs, "
                               << job.row_count << " rows";
    }
  }
}

}  // namespace
}  // namespace holdfast::tensor
