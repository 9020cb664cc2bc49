#include "media/image.h"

#include <gtest/gtest.h>

#include <string>

#include "io/disk.h"

namespace holdfast::media {
namespace {

TEST(Image, WhatIsNoImageIsRefusedByTheNamesOfThoseThatAre) {
  struct Case {
    const char* name;
    std::string bytes;
    Reason reason;
  };
  const Case cases[] = {
      {"nothing", "", Reason::unsupported_media},
      {"text", "hello, hello, hello", Reason::unsupported_media},
      {"GIF", std::string("GIF89a\1\0\1\0", 10), Reason::unsupported_media},
      {"PNG that ends after its name", "\x89PNG\r\n\x1a\n", Reason::bad_request},
      {"JPEG that ends after its name", "\xFF\xD8\xFF", Reason::bad_request},
      {"WebP that ends after its name", std::string("RIFF\10\0\0\0WEBPVP8 ", 16), Reason::bad_request},
  };
  for (const Case& one : cases) {
    const auto image = decode_image(as_bytes(one.bytes));
    ASSERT_FALSE(image.ok()) << one.name;
    EXPECT_EQ(image.error().reason, one.reason) << one.name << ": " << image.error().message;
  }
}

TEST(Image, AFileLongerThanTheLimitIsNotLookedAt) {
  const auto image = decode_image(as_bytes(std::string(100, 'x')), {.bytes = 99});
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().reason, Reason::body_too_large);
}

// A picture of 2^31 - 1 by 2^31 - 1 in a hundred bytes. libpng takes a row's memory, 16 GiB here, as soon as
// it is asked how long a row is; under the fuzz target's limit of memory that ended the program.
TEST(Image, APngOfEndlessRowsIsRefusedByItsHeader) {
  const auto file = io::open_posix_disk("tests/golden/fuzz/image");
  ASSERT_TRUE(file.ok());
  const auto bomb = io::read_text(*file.value(), "bomb.png", 1000);
  ASSERT_TRUE(bomb.ok());
  const auto image = decode_image(as_bytes(bomb.value()));
  ASSERT_FALSE(image.ok());
  EXPECT_EQ(image.error().reason, Reason::body_too_large) << image.error().message;
}

}  // namespace
}  // namespace holdfast::media
