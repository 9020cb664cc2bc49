#include "tensor/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace holdfast::tensor {
namespace {

using Vector = std::vector<float>;

Vector random_floats(std::mt19937& random, size_t count, float spread = 1) {
  std::normal_distribution<float> normal(0, spread);
  Vector out(count);
  for (float& x : out) x = normal(random);
  return out;
}

bool same_bits(const Vector& left, const Vector& right) {
  return left.size() == right.size() &&
         (left.empty() || std::memcmp(left.data(), right.data(), left.size() * sizeof(float)) == 0);
}

float worst(const Vector& left, const Vector& right) {
  float most = 0;
  for (size_t i = 0; i < left.size(); ++i) most = std::max(most, std::abs(left[i] - right[i]));
  return most;
}

std::vector<const Kernels*> fast_kernels() {
  std::vector<const Kernels*> out;
  for (Isa isa : isas_of_this_machine())
    if (isa != Isa::plain) out.push_back(&kernels_for(isa));
  return out;
}

// Widths around the sizes at which the kernels change what they do.
constexpr size_t widths[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 64, 100, 384, 385};

TEST(Isa, NamesReadBack) {
  for (Isa isa :
       {Isa::plain, Isa::avx2, Isa::avx2_vnni, Isa::avx512, Isa::avx512_vnni, Isa::avx512_bf16, Isa::amx})
    EXPECT_EQ(isa_from_name(isa_name(isa)), isa);
  EXPECT_FALSE(isa_from_name("sse9").has_value());
  EXPECT_EQ(isas_of_this_machine().front(), Isa::plain);
}

TEST(Kernels, LayerNormAgreesWithThePlainOne) {
  std::mt19937 random(12);  // Seed 12.
  for (size_t width : widths) {
    for (size_t rows : {0U, 1U, 3U, 4U, 9U}) {
      const Vector in = random_floats(random, rows * width, 3), gamma = random_floats(random, width),
                   beta = random_floats(random, width);
      LayerNormJob job{in.data(), nullptr, gamma.data(), beta.data(), rows, width, 1e-12F};
      Vector expected(rows * width);
      job.out = expected.data();
      plain_kernels.layer_norm(job);
      for (const Kernels* kernels : fast_kernels()) {
        Vector got = in;
        job.in = job.out = got.data();
        kernels->layer_norm(job);
        EXPECT_LE(worst(got, expected), 4e-6F) << isa_name(kernels->isa) << " width " << width;
        job.in = in.data();
      }
    }
  }
}

// Also between rows that lie further apart.
TEST(Kernels, ANormedRowHasTheSameBitsAloneAndAmongOthers) {
  std::mt19937 random(14);  // Seed 14.
  for (size_t width : widths)
    for (const Kernels* kernels : fast_kernels())
      for (const auto norm : {kernels->layer_norm, kernels->rms_norm}) {
        const size_t rows = 7, in_stride = width + 3, out_stride = width + 1;
        const Vector in = random_floats(random, rows * in_stride, 3), gamma = random_floats(random, width),
                     beta = random_floats(random, width);
        Vector got(rows * out_stride, 7.0F);
        norm({in.data(), got.data(), gamma.data(), beta.data(), rows, width, 1e-12F, in_stride, out_stride});
        for (size_t row = 0; row < rows; ++row) {
          Vector alone(width + 1, 7.0F);
          norm({in.data() + row * in_stride, alone.data(), gamma.data(), beta.data(), 1, width, 1e-12F});
          const auto at = got.begin() + static_cast<ptrdiff_t>(row * out_stride);
          EXPECT_TRUE(same_bits(alone, Vector(at, at + static_cast<ptrdiff_t>(out_stride))));
        }
      }
}

TEST(Kernels, SoftmaxAgreesWithThePlainOneAndSumsToOne) {
  std::mt19937 random(13);  // Seed 13.
  for (size_t width : widths) {
    const size_t rows = 3, stride = width + 5;
    const Vector start = random_floats(random, rows * stride, 30);
    Vector expected = start;
    plain_kernels.softmax({expected.data(), rows, width, stride, 0.4F});
    for (const Kernels* kernels : fast_kernels()) {
      Vector got = start;
      kernels->softmax({got.data(), rows, width, stride, 0.4F});
      EXPECT_LE(worst(got, expected), 5e-7F) << isa_name(kernels->isa) << " width " << width;
      double sum = 0;
      for (size_t i = 0; i < width; ++i) sum += got[i];
      EXPECT_NEAR(sum, 1, 1e-6);
    }
  }
}

TEST(Kernels, SoftmaxOfHugeAndEqualNumbersIsFinite) {
  for (const Kernels* kernels : fast_kernels()) {
    Vector row = {3e38F, -3e38F, 3e38F, 0};
    kernels->softmax({row.data(), 1, row.size(), row.size(), 1});
    EXPECT_NEAR(row[0], 0.5F, 1e-6F);
    EXPECT_NEAR(row[1], 0, 1e-6F);
  }
}

TEST(Kernels, GeluIsWithinThreeTenMillionthsOfErf) {
  Vector x;
  for (float v = -12; v <= 12; v += 0.0007F) x.push_back(v);
  x.insert(x.end(), {-1e30F, 1e30F, 0.0F, -0.0F});
  for (const Kernels* kernels : fast_kernels()) {
    Vector got = x;
    kernels->gelu(got.data(), got.size());
    for (size_t i = 0; i < x.size(); ++i) {
      const double wanted = 0.5 * x[i] * (1 + std::erf(x[i] / std::sqrt(2.0)));
      EXPECT_NEAR(got[i], wanted, 3e-7 * std::max(1.0, std::abs(static_cast<double>(x[i]))))
          << "x = " << x[i];
    }
  }
}

TEST(Kernels, AddTouchesOnlyItsNumbers) {
  for (const Kernels* kernels : fast_kernels()) {
    for (size_t width : widths) {
      Vector into(width, 1.5F);
      const Vector more(width, 0.25F);
      kernels->add(into.data(), more.data(), width);
      EXPECT_EQ(into, Vector(width, 1.75F));
    }
  }
}

TEST(Kernels, TheFastOnesAgreeWithEachOtherToTheLastBit) {
  const auto fast = fast_kernels();
  if (fast.size() < 2) GTEST_SKIP() << "this machine runs only " << fast.size() << " of them";
  std::mt19937 random(14);  // Seed 14.
  for (size_t width : widths) {
    const Vector start = random_floats(random, width, 4), gamma = random_floats(random, width);
    std::vector<Vector> norms, softmaxes, gelus;
    for (const Kernels* kernels : fast) {
      Vector norm(width), softmax = start, gelu = start;
      kernels->layer_norm({start.data(), norm.data(), gamma.data(), gamma.data(), 1, width, 1e-12F});
      kernels->softmax({softmax.data(), 1, width, width, 0.7F});
      kernels->gelu(gelu.data(), width);
      norms.push_back(norm);
      softmaxes.push_back(softmax);
      gelus.push_back(gelu);
    }
    for (size_t i = 1; i < norms.size(); ++i) {
      EXPECT_TRUE(same_bits(norms[0], norms[i])) << width;
      EXPECT_TRUE(same_bits(softmaxes[0], softmaxes[i])) << width;
      EXPECT_TRUE(same_bits(gelus[0], gelus[i])) << width;
    }
  }
}

}  // namespace
}  // namespace holdfast::tensor
