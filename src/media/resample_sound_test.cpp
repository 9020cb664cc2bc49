#include "media/resample_sound.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace holdfast::media {
namespace {

std::vector<float> tone(double hertz, uint32_t rate, size_t count) {
  std::vector<float> samples(count);
  for (size_t i = 0; i < count; ++i)
    samples[i] = static_cast<float>(std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate));
  return samples;
}

TEST(ResampleSound, ALowToneIsTheSameToneAtEveryRate) {
  for (const auto& [from, to] : {std::pair{44'100U, 16'000U},
                                 {8'000U, 16'000U},
                                 {48'000U, 16'000U},
                                 {16'000U, 44'100U},
                                 {22'050U, 16'000U},
                                 {11'025U, 8'000U}}) {
    const auto made = resample(tone(440, from, from / 2), from, to);
    ASSERT_TRUE(made.ok());
    const auto wanted = tone(440, to, to / 2);
    ASSERT_NEAR(static_cast<double>(made.value().size()), static_cast<double>(wanted.size()), 1);
    for (size_t i = to / 20; i < to / 2 - to / 20; ++i)  // Away from the ends, beyond which is silence.
      ASSERT_NEAR(made.value()[i], wanted[i], 2e-3) << from << " to " << to << " at " << i;
  }
}

TEST(ResampleSound, AToneAboveTheNewRatesHalfIsTakenAway) {
  const auto made = resample(tone(15'000, 48'000, 24'000), 48'000, 16'000);
  ASSERT_TRUE(made.ok());
  for (size_t i = 200; i < made.value().size() - 200; ++i) ASSERT_LT(std::abs(made.value()[i]), 5e-3);
}

TEST(ResampleSound, LengthIsRoundedUpAndTheSameRateIsACopy) {
  EXPECT_EQ(resample(std::vector<float>(7), 3, 2).value().size(), 5U);
  EXPECT_EQ(resample(std::vector<float>{1, 2}, 9, 9).value(), (std::vector<float>{1, 2}));
  EXPECT_TRUE(resample(std::vector<float>(), 8'000, 16'000).value().empty());
}

TEST(ResampleSound, RatesThatNoSoundHasAreRefused) {
  const std::vector<float> samples(3);
  EXPECT_EQ(resample(samples, 0, 16'000).error().reason, Reason::bad_request);
  EXPECT_EQ(resample(samples, 16'000, 0).error().reason, Reason::bad_request);
  EXPECT_EQ(resample(samples, 768'001, 16'000).error().reason, Reason::bad_request);
  EXPECT_EQ(resample(samples, 767'999, 16'000).error().reason, Reason::bad_request);
  EXPECT_EQ(resample(std::vector<float>(300), 1, 768'000).error().reason, Reason::bad_request);
  EXPECT_EQ(resample(std::vector<float>(1100), 1, 200'000).error().reason, Reason::body_too_large);
}

}  // namespace
}  // namespace holdfast::media
