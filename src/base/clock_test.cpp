#include "base/clock.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Time, is_written_and_read_in_one_form) {
  const WallTime time{std::chrono::milliseconds{1'763'696'431'007}};
  EXPECT_EQ(format_time(time), "2025-11-21T03:40:31.007Z");
  EXPECT_EQ(parse_time(format_time(time)).value(), time);
}

TEST(Time, forms_that_clients_send) {
  struct Case {
    const char* why;
    std::string_view text;
    std::string_view read;  // Empty: refused.
  };
  static constexpr Case cases[] = {
      {"no fraction", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"},
      {"microseconds", "2024-02-29T23:59:59.123456Z", "2024-02-29T23:59:59.123Z"},
      {"one digit", "2024-02-29T23:59:59.1Z", "2024-02-29T23:59:59.100Z"},
      {"no leap day", "2023-02-29T00:00:00Z", ""},
      {"no zone", "2024-02-29T00:00:00", ""},
      {"empty fraction", "2024-02-29T00:00:00.Z", ""},
      {"a letter", "2024-0x-29T00:00:00Z", ""},
      {"empty", "", ""},
      {"hour 24", "2024-02-29T24:00:00Z", ""},
  };
  for (const auto& [why, text, read] : cases) {
    const auto time = parse_time(text);
    EXPECT_EQ(time.ok() ? format_time(time.value()) : "", read) << why;
  }
}

TEST(ManualClock, moves_only_when_told) {
  ManualClock clock;
  const auto before = clock.wall();
  clock.advance(std::chrono::seconds{2});
  EXPECT_EQ(clock.now(), std::chrono::milliseconds{2000});
  EXPECT_EQ(clock.wall() - before, std::chrono::milliseconds{2000});
}

}  // namespace
}  // namespace holdfast
