#include "codec/lz4.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace holdfast::codec {
namespace {

Bytes text_of(size_t size) {
  Bytes text(size);
  for (size_t i = 0; i < size; ++i)
    text[i] = static_cast<std::byte>("the same words "[i % 15] + i / 9000 % 3);
  return text;
}

TEST(Lz4, FramesComeBackAsTheyWere) {
  for (const size_t size : {0, 1, 15, 8192, 131072, 300'000}) {
    const Bytes text = text_of(size);
    const Bytes frame = lz4_frame_compress(text, size + 100);
    Bytes back(size);
    ASSERT_TRUE(lz4_frame_decompress(frame, back).ok()) << size;
    EXPECT_EQ(back, text);
    EXPECT_TRUE(size < 1000 || frame.size() < size / 4);
  }
}

TEST(Lz4, AFrameThatIsNotWorthItIsEmpty) {
  SeededRandom random(1);
  Bytes noise(100'000);
  random.fill(noise);
  EXPECT_TRUE(lz4_frame_compress(noise, noise.size() - 1).empty());
}

TEST(Lz4, WrongFramesAreRefusedAndNeverOverflow) {
  const Bytes text = text_of(50'000);
  const Bytes frame = lz4_frame_compress(text, text.size());
  Bytes into(text.size());
  Bytes longer = frame, cut = frame, noise = frame;
  longer.push_back(std::byte{});
  cut.pop_back();
  noise[0] = std::byte{9};
  EXPECT_FALSE(lz4_frame_decompress(longer, into).ok());
  EXPECT_FALSE(lz4_frame_decompress(cut, into).ok());
  EXPECT_FALSE(lz4_frame_decompress(noise, into).ok());
  EXPECT_FALSE(lz4_frame_decompress({}, into).ok());
  EXPECT_FALSE(lz4_frame_decompress(frame, std::span(into).first(49'999)).ok());
  Bytes more(50'001);
  EXPECT_FALSE(lz4_frame_decompress(frame, more).ok());
  EXPECT_TRUE(lz4_frame_decompress(frame, into).ok());

  SeededRandom random(2);
  for (int round = 0; round < 3000; ++round) {
    Bytes broken = frame;
    for (uint64_t i = 0; i <= random.below(4); ++i)
      broken[random.below(broken.size())] = static_cast<std::byte>(random.below(256));
    (void)lz4_frame_decompress(broken, into).ok();
  }
}

}  // namespace
}  // namespace holdfast::codec
