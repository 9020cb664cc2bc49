#include "tensor/channel_taps.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "tensor/kernels.h"

namespace holdfast::tensor {
namespace {

using Vector = std::vector<float>;

Vector random_floats(std::mt19937& random, size_t count) {
  std::normal_distribution<float> normal;
  Vector out(count);
  for (float& x : out) x = normal(random);
  return out;
}

size_t out_side(size_t side, size_t kernel, const ChannelTapsJob& job) {
  const size_t reach = job.dilation * (kernel - 1) + 1, padded = side + 2 * job.padding;
  return padded < reach ? 0 : (padded - reach) / job.stride + 1;
}

TEST(ChannelTaps, EveryInstructionSetGivesTheBitsOfThePlainOne) {
  std::mt19937 random(31);  // Seed 31.
  const auto up_to = [&](size_t most) { return 1 + random() % most; };
  size_t lines = 0;
  for (size_t round = 0; round < 200; ++round) {
    ChannelTapsJob job;
    job.channels = up_to(40);
    job.height = up_to(8);
    job.width = up_to(30);
    job.kernel_height = up_to(7);
    job.kernel_width = up_to(7);
    job.stride = up_to(3);
    job.dilation = up_to(2);
    job.padding = random() % 5;
    const size_t height = out_side(job.height, job.kernel_height, job);
    job.out_width = out_side(job.width, job.kernel_width, job);
    if (height == 0 || job.out_width == 0) continue;
    const Vector in = random_floats(random, job.height * job.width * job.channels),
                 taps = random_floats(random, job.kernel_height * job.kernel_width * job.channels),
                 bias = random_floats(random, job.channels);
    job.in = in.data();
    job.taps = taps.data();
    job.bias = bias.data();
    job.line = random() % height;
    Vector expected(job.out_width * job.channels), got(expected.size());
    job.out = expected.data();
    plain_kernels.channel_taps(job);
    job.out = got.data();
    ++lines;
    for (Isa isa : isas_of_this_machine()) {
      kernels_for(isa).channel_taps(job);
      EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0)
          << isa_name(isa) << " round " << round;
    }
  }
  EXPECT_GT(lines, 100U);
}

TEST(ChannelTaps, WhatIsPastTheEdgesAddsNothing) {
  // Three by three ones over ones: what lies under them is counted.
  const Vector in(4, 1.0F), taps(9, 1.0F), bias(1, 0.5F);
  ChannelTapsJob job;
  job.in = in.data();
  job.height = job.width = 2;
  job.channels = 1;
  job.taps = taps.data();
  job.bias = bias.data();
  job.kernel_height = job.kernel_width = 3;
  job.padding = 1;
  job.line = 1;
  Vector out(2);
  job.out = out.data();
  job.out_width = 2;
  for (Isa isa : isas_of_this_machine()) {
    kernels_for(isa).channel_taps(job);
    EXPECT_EQ(out, Vector({4.5F, 4.5F})) << isa_name(isa);
  }
}

}  // namespace
}  // namespace holdfast::tensor
