#include "serve/local_time.h"

#include <gtest/gtest.h>

namespace holdfast::serve {
namespace {

constexpr const char* berlin = "CET-1CEST,M3.5.0,M10.5.0/3";

LocalTime at(const char* rule, const char* time) {
  return local_time(rule, parse_time(time).value()).value();
}

TEST(LocalTimes, FollowTheirRulesOnBothSidesOfAChange) {
  EXPECT_EQ(at("UTC0", "2026-11-22T15:20:59Z"), (LocalTime{6, 15 * 60 + 20}));
  EXPECT_EQ(at(berlin, "2026-11-22T23:30:00Z"), (LocalTime{0, 30})) << "Monday already";
  EXPECT_EQ(at(berlin, "2026-07-01T12:00:00Z"), (LocalTime{2, 14 * 60}));
  EXPECT_EQ(at(berlin, "2026-03-29T00:59:59Z"), (LocalTime{6, 119}));
  EXPECT_EQ(at(berlin, "2026-03-29T01:00:00Z"), (LocalTime{6, 180}));
  EXPECT_EQ(at(berlin, "2026-10-25T00:59:59Z"), (LocalTime{6, 179}));
  EXPECT_EQ(at(berlin, "2026-10-25T01:00:00Z"), (LocalTime{6, 120}));
  // Summer over the turn of the year, half hours, names in angle brackets, days by their number.
  EXPECT_EQ(at("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-12-31T20:00:00Z"), (LocalTime{4, 7 * 60}));
  EXPECT_EQ(at("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-06-30T20:00:00Z"), (LocalTime{2, 6 * 60}));
  EXPECT_EQ(at("IST-5:30", "2026-01-01T00:00:00Z"), (LocalTime{3, 330}));
  EXPECT_EQ(at("<-03>3", "2026-01-01T00:00:00Z"), (LocalTime{2, 21 * 60}));
  EXPECT_EQ(at("XST0XDT,J60,J300/1", "2028-03-01T12:00:00Z"), (LocalTime{2, 13 * 60}))
      << "J60 is March in leap years too";
  EXPECT_EQ(at("NST3:30NDT,M3.2.0,M11.1.0", "2026-07-01T12:00:00Z"), (LocalTime{2, 9 * 60 + 30}));
}

TEST(LocalTimes, WhatIsNoRuleIsRefused) {
  for (const char* bad : {"", "C", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0",
                          "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "<+03", "CET-1:99",
                          "CET-999999999999", "CET-1CEST,J0,J5", "CET-1CEST,400,5"})
    EXPECT_FALSE(local_time(bad, {}).ok()) << bad;
}

TEST(LocalTimes, AZonesRuleIsTheLastLineOfItsTable) {
  auto tables = io::make_memory_disk();
  const auto put = [&](const char* path, std::string text) {
    ASSERT_TRUE(tables->make_directories("Europe").ok());
    ASSERT_TRUE(tables->create(path).value()->append(as_bytes(text)).ok());
  };
  put("Europe/Berlin", "TZif2....\nTZif2....\nCET-1CEST,M3.5.0,M10.5.0/3\n");
  put("Europe/Odd", "TZif2....\n...\nwhatever\n");
  put("Europe/Plain", "no table\nCET-1\n");
  EXPECT_EQ(time_zone_rule(*tables, "Europe/Berlin").value(), berlin);
  EXPECT_EQ(time_zone_rule(*tables, "UTC").value(), "UTC0");
  for (const char* bad :
       {"Europe/Odd", "Europe/Plain", "Europe/None", "", "/etc/passwd", "../Berlin", "Europe", "a b"})
    EXPECT_FALSE(time_zone_rule(*tables, bad).ok()) << bad;
}

}  // namespace
}  // namespace holdfast::serve
