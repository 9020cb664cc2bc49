#include "cli/progress.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

TEST(FormatBytes, says_three_digits_and_the_unit) {
  struct Case {
    uint64_t bytes;
    const char* text;
  };
  static constexpr Case cases[] = {{0, "0 B"},           {999, "999 B"},          {1000, "1.00 kB"},
                                   {1234, "1.23 kB"},    {12'345, "12.3 kB"},     {999'499, "999 kB"},
                                   {999'500, "1.00 MB"}, {90'868'376, "90.9 MB"}, {UINT64_MAX, "18447 PB"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(format_bytes(bytes), text);
}

}  // namespace
}  // namespace holdfast::cli
