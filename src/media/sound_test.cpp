#include "media/sound.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::media {
namespace {

struct Wave {
  uint16_t format = 1;  // 1 whole numbers, 3 floats.
  uint16_t channels = 1;
  uint32_t rate = 16'000;
  uint16_t bits = 16;
  Bytes samples;
};

Bytes file_of(const Wave& wave) {
  const uint16_t frame = static_cast<uint16_t>(wave.channels * wave.bits / 8);
  ByteWriter out;
  out.text("RIFF");
  out.u32(static_cast<uint32_t>(36 + wave.samples.size()));
  out.text("WAVEfmt ");
  out.u32(16);
  out.u16(wave.format);
  out.u16(wave.channels);
  out.u32(wave.rate);
  out.u32(wave.rate * frame);
  out.u16(frame);
  out.u16(wave.bits);
  out.text("data");
  out.u32(static_cast<uint32_t>(wave.samples.size()));
  out.bytes(wave.samples);
  return std::move(out).take();
}

Bytes shorts(const std::vector<int16_t>& values) {
  ByteWriter out;
  for (const int16_t value : values) out.u16(static_cast<uint16_t>(value));
  return std::move(out).take();
}

TEST(Sound, WholeNumbersBecomePartsOfOne) {
  const auto sound = decode_sound(file_of({.samples = shorts({0, 16384, -32768, 32767})}));
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(sound.value().rate, 16'000U);
  EXPECT_EQ(sound.value().samples, (std::vector<float>{0, 0.5F, -1, 32767 / 32768.0F}));
}

TEST(Sound, ChannelsBecomeTheirMean) {
  const auto sound = decode_sound(file_of({.channels = 2, .samples = shorts({0, 16384, -32768, 32767})}));
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(sound.value().samples, (std::vector<float>{0.25F, -0.5F / 32768}));
}

TEST(Sound, WhatIsTooLongIsRefused) {
  const Bytes file = file_of({.samples = shorts(std::vector<int16_t>(16'001))});
  EXPECT_EQ(decode_sound(file, {.seconds = 1}).error().reason, Reason::body_too_large);
  EXPECT_EQ(decode_sound(file, {.samples = 16'000}).error().reason, Reason::body_too_large);
  EXPECT_EQ(decode_sound(file, {.bytes = 32'000}).error().reason, Reason::body_too_large);
  EXPECT_TRUE(decode_sound(file, {.seconds = 1.001}).ok());
}

TEST(Sound, WhatIsNoSoundIsRefused) {
  EXPECT_EQ(decode_sound(as_bytes("")).error().reason, Reason::unsupported_media);
  EXPECT_EQ(decode_sound(as_bytes(".snd and twenty bytes more")).error().reason, Reason::unsupported_media);
  EXPECT_EQ(decode_sound(as_bytes("RIFF\4\4\4\4WAVE but nothing more")).error().reason, Reason::bad_request);
  EXPECT_EQ(decode_sound(file_of({})).error().reason, Reason::bad_request);
}

TEST(Sound, AWaveThatIsCutShortIsRefusedAndOneOfUnknownLengthIsRead) {
  Bytes file = file_of({.samples = shorts({1, 2, 3, 4, 5})});
  const Bytes cut(file.begin(), file.end() - 1);
  EXPECT_EQ(decode_sound(cut).error().reason, Reason::bad_request);
  for (size_t i = 40; i < 44; ++i) file[i] = std::byte{0xFF};  // As a program says that writes to a pipe.
  const auto sound = decode_sound(file);
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_EQ(sound.value().samples.size(), 5U);
}

}  // namespace
}  // namespace holdfast::media
