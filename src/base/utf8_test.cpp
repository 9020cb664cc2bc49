#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace holdfast {
namespace {

// Every sequence of up to three bytes and the edges of four, against the table of RFC 3629 section 4.
TEST(Utf8, accepts_what_the_rfc_lists_and_nothing_else) {
  const auto tail = [](int b) { return b >= 0x80 && b <= 0xBF; };
  for (int a = 0; a < 256; ++a) {
    const std::string one{static_cast<char>(a)};
    ASSERT_EQ(is_utf8(one), a < 0x80) << a;
    for (int b = 0; b < 256; ++b) {
      const std::string two = one + static_cast<char>(b);
      const bool well = a < 0x80 ? b < 0x80 : a >= 0xC2 && a <= 0xDF && tail(b);
      ASSERT_EQ(is_utf8(two), well) << a << " " << b;
      if (a < 0xE0) continue;
      const bool second_of_three = tail(b) && !(a == 0xE0 && b < 0xA0) && !(a == 0xED && b > 0x9F);
      const bool second_of_four = tail(b) && !(a == 0xF0 && b < 0x90) && !(a == 0xF4 && b > 0x8F);
      for (int c : {0x7F, 0x80, 0xBF, 0xC0}) {
        const std::string three = two + static_cast<char>(c);
        ASSERT_EQ(is_utf8(three), a < 0xF0 && second_of_three && tail(c)) << a << " " << b << " " << c;
        for (int d : {0x7F, 0x80, 0xBF, 0xC0})
          ASSERT_EQ(is_utf8(three + static_cast<char>(d)),
                    a >= 0xF0 ? a <= 0xF4 && second_of_four && tail(c) && tail(d)
                              : a < 0xF0 && second_of_three && tail(c) && d < 0x80);
      }
    }
  }
  EXPECT_TRUE(is_utf8(""));
}

}  // namespace
}  // namespace holdfast
