#include "codec/hex.h"

#include <gtest/gtest.h>

namespace holdfast::codec {
namespace {

TEST(Hex, every_byte_comes_back) {
  Bytes bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<std::byte>(i));
  const std::string text = to_hex(bytes);
  EXPECT_EQ(text.substr(0, 8), "00010203");
  EXPECT_EQ(text.substr(504), "fcfdfeff");
  EXPECT_EQ(from_hex(text).value(), bytes);
}

TEST(Hex, upper_case_is_read_and_anything_else_refused) {
  EXPECT_EQ(to_hex(from_hex("AbCd").value()), "abcd");
  EXPECT_FALSE(from_hex("abc").ok());
  EXPECT_FALSE(from_hex("0g").ok());
  EXPECT_FALSE(from_hex("-1").ok());
  EXPECT_TRUE(from_hex("").value().empty());
}

TEST(Hex, a_digest_is_lower_case_and_of_its_length) {
  EXPECT_TRUE(is_lower_hex("00ff", 4));
  EXPECT_FALSE(is_lower_hex("00FF", 4));
  EXPECT_FALSE(is_lower_hex("00ff", 6));
  EXPECT_FALSE(is_lower_hex("00fg", 4));
}

}  // namespace
}  // namespace holdfast::codec
