#include "media/fourier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace holdfast::media {
namespace {

// Powers and products of small primes, a prime to its definition's limit, larger primes, and even numbers
// whose half is one.
TEST(Fourier, OfEveryLengthEqualsItsDefinition) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal;
  RealFourier::Scratch scratch;
  std::vector<size_t> lengths{320, 400, 441, 480, 512, 961, 1000, 1021, 1022, 1024, 2047, 2062};
  for (size_t n = 1; n <= 130; ++n) lengths.push_back(n);
  for (const size_t length : lengths) {
    std::vector<double> in(length);
    for (double& value : in) value = normal(random);
    const RealFourier fourier(length);
    std::vector<Complex> out(fourier.bins());
    fourier.run(in, out, scratch);
    const auto wanted = plain_fourier(in);
    ASSERT_EQ(out.size(), wanted.size());
    for (size_t k = 0; k < out.size(); ++k) {
      ASSERT_NEAR(out[k].re, wanted[k].re, 1e-9 * static_cast<double>(length)) << length << " at " << k;
      ASSERT_NEAR(out[k].im, wanted[k].im, 1e-9 * static_cast<double>(length)) << length << " at " << k;
    }
  }
}

}  // namespace
}  // namespace holdfast::media
