#include "serve/warm_hours.h"

#include <gtest/gtest.h>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"
#include "io/temporary_folder.h"
#include "serve/schema.h"
#include "sql/database.h"

namespace holdfast::serve {
namespace {

class WarmHoursTest : public ::testing::Test {
 protected:
  std::unique_ptr<io::Disk> zones = io::make_memory_disk();

  void SetUp() override {
    ASSERT_TRUE(zones->make_directories("Europe").ok());
    ASSERT_TRUE(zones->create("Europe/Berlin")
                    .value()
                    ->append(as_bytes(std::string_view("TZif2\nCET-1CEST,M3.5.0,M10.5.0/3\n")))
                    .ok());
  }
  Result<WarmHours> hours(std::string_view text) {
    TRY(const boost::json::value value, codec::parse_json(text));
    return read_warm_hours(value, *zones);
  }
  static bool warm(const WarmHours& hours, const char* time) {
    return is_warm(hours, parse_time(time).value());
  }
};

TEST_F(WarmHoursTest, HoldOnTheirDaysByTheClocksOfTheirZone) {
  const WarmHours office =
      hours(R"({"days":"mon-fri","from":"08:00","until":"18:30","time_zone":"Europe/Berlin"})").value();
  EXPECT_FALSE(warm(office, "2026-11-23T06:59:59Z"));  // A Monday in winter.
  EXPECT_TRUE(warm(office, "2026-11-23T07:00:00Z"));
  EXPECT_TRUE(warm(office, "2026-07-06T06:00:00Z"));  // And in summer.
  EXPECT_TRUE(warm(office, "2026-11-23T17:29:59Z"));
  EXPECT_FALSE(warm(office, "2026-11-23T17:30:00Z"));
  EXPECT_FALSE(warm(office, "2026-11-22T12:00:00Z")) << "a Sunday";
  const WarmHours night = hours(R"({"days":"fri","from":"22:00","until":"02:00"})").value();
  EXPECT_TRUE(warm(night, "2026-11-27T23:00:00Z"));
  EXPECT_TRUE(warm(night, "2026-11-28T01:59:00Z")) << "Friday's night goes on on Saturday";
  EXPECT_FALSE(warm(night, "2026-11-28T02:00:00Z"));
  EXPECT_FALSE(warm(night, "2026-11-28T23:00:00Z"));
  EXPECT_FALSE(warm(night, "2026-11-27T01:00:00Z"));
  const WarmHours always = hours(R"({"from":"00:00","until":"24:00"})").value();
  EXPECT_TRUE(warm(always, "2026-11-28T23:59:59Z") && warm(always, "2026-11-29T00:00:00Z"));
  EXPECT_EQ(hours(R"({"days":"sat-mon","from":"00:00","until":"01:00"})").value().weekdays, 0b1100001);
}

TEST_F(WarmHoursTest, WhatSaysNothingIsRefused) {
  for (const char* bad :
       {"[]", "{}", R"({"from":"8:00","until":"09:00"})", R"({"from":"24:00","until":"09:00"})",
        R"({"from":"08:60","until":"09:00"})", R"({"from":"08:00","until":"24:01"})",
        R"({"from":"08:00","until":"09:00","days":"monday"})",
        R"({"from":"08:00","until":"09:00","days":""})",
        R"({"from":"08:00","until":"09:00","time_zone":"Mars/Base"})",
        R"({"from":"08:00","until":"09:00","min_replicas":0})",
        R"({"from":"08:00","until":"09:00","to":"x"})"})
    EXPECT_FALSE(hours(bad).ok()) << bad;
}

TEST_F(WarmHoursTest, ASchedulesMostHoldsAndOutlivesARestart) {
  io::TemporaryFolder folder;
  auto database = std::move(sql::open_database("sqlite:" + (folder.path() / "w.db").string())).value();
  const std::vector<sql::Migration> steps(migrations().begin(), migrations().end());
  ASSERT_TRUE(sql::migrate(*database, steps, 1).ok());
  const WarmSchedule wish = {
      hours(R"({"from":"08:00","until":"20:00","min_replicas":1})").value(),
      hours(R"({"from":"10:00","until":"12:00","min_replicas":3,"time_zone":"Europe/Berlin"})").value()};
  {
    const auto schedules = WarmSchedules::open(*database, *zones).value()->set("lab/x", wish);
    ASSERT_TRUE(schedules.ok());
  }
  const auto again = std::move(WarmSchedules::open(*database, *zones)).value();
  EXPECT_EQ(again->schedule_of("lab/x"), wish);
  EXPECT_EQ(again->replicas_at("lab/x", parse_time("2026-11-23T09:30:00Z").value()), 3);
  EXPECT_EQ(again->replicas_at("lab/x", parse_time("2026-11-23T11:30:00Z").value()), 1);
  EXPECT_EQ(again->replicas_at("lab/x", parse_time("2026-11-23T21:30:00Z").value()), 0);
  EXPECT_EQ(again->replicas_at("lab/y", parse_time("2026-11-23T11:30:00Z").value()), 0);
  EXPECT_FALSE(again->set("lab/y", WarmSchedule(warm_hours_max + 1, wish[0])).ok());
  ASSERT_TRUE(again->set("lab/x", {}).ok());
  EXPECT_TRUE(again->schedule_of("lab/x").empty());
}

}  // namespace
}  // namespace holdfast::serve
