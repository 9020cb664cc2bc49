#include "observe/error_map.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace holdfast::observe {
namespace {

using Script = InputCluster::Script;
using Length = InputCluster::Length;

TEST(ErrorMapTest, ABodyIsOfTheScriptThatMostOfItsTextHas) {
  const std::vector<std::tuple<std::string, Script, Length>> cases = {
      {"", Script::unknown, Length::to_100},
      {R"({"inputs": "where is my parcel"})", Script::latin, Length::to_100},
      {R"({"inputs": "où est passé mon colis, déjà"})", Script::latin, Length::to_100},
      {R"({"inputs": "где моя посылка"})", Script::cyrillic, Length::to_100},
      {R"({"inputs": "\u0433\u0434\u0435 \u043c\u043e\u044f"})", Script::cyrillic, Length::to_100},
      {R"({"inputs": "أين طردي"})", Script::arabic, Length::to_100},
      {R"({"inputs": "我的包裹在哪里"})", Script::asian, Length::to_100},
      {R"({"inputs": "내 소포는 어디에"})", Script::asian, Length::to_100},
      {R"({"inputs": "🚚🚚🚚 ไหน"})", Script::other, Length::to_100},
      {"{\"inputs\": \"" + std::string(200, 'a') + "\"}", Script::latin, Length::to_1000},
      {std::string(5000, 'a'), Script::latin, Length::to_10000},
      {std::string(50'000, 'a'), Script::latin, Length::longer},
      {"\xE4\xBD", Script::latin, Length::to_100},  // Cut in the middle.
      {"{\"inputs\": \"\\u04", Script::latin, Length::to_100},
  };
  for (const auto& [body, script, length] : cases) {
    const InputCluster got = cluster_of(body);
    EXPECT_EQ(script_name(got.script), script_name(script)) << body.substr(0, 60);
    EXPECT_EQ(length_name(got.length), length_name(length)) << body.substr(0, 60);
  }
}

TEST(ErrorMapTest, APlantedClusterIsTheHotCellAndTheOthersAreNot) {
  ErrorMap map;
  const WallTime now(std::chrono::hours(500'000) + std::chrono::minutes(10));
  const ErrorClass model = ErrorClass::model, timeout = ErrorClass::timeout;
  for (int i = 0; i < 200; ++i) map.count("lab/support", now, cluster_of("plain words"), nullptr);
  for (int i = 0; i < 40; ++i)
    map.count("lab/support", now, cluster_of("посылка не пришла"), i % 2 == 0 ? &model : nullptr);
  map.count("lab/support", now, cluster_of("plain words"), &timeout);
  const auto cells = map.view("lab/support", now);
  ASSERT_EQ(cells.size(), 2U);
  EXPECT_EQ(cells[0].cluster.script, Script::latin);
  EXPECT_EQ(cells[0].requests, 201);
  EXPECT_EQ(cells[0].errors[static_cast<size_t>(timeout)], 1);
  EXPECT_EQ(cells[1].cluster.script, Script::cyrillic);
  EXPECT_EQ(cells[1].requests, 40);
  EXPECT_EQ(cells[1].errors[static_cast<size_t>(model)], 20);
  EXPECT_TRUE(map.view("lab/other", now).empty());
}

TEST(ErrorMapTest, ADayLaterAnHourIsForgottenAndRecordsAreBounded) {
  ErrorMap map;
  const WallTime begin(std::chrono::hours(500'000));
  for (int hour = 0; hour < 30; ++hour)
    map.count("lab/support", begin + std::chrono::hours(hour), cluster_of("words"), nullptr);
  const WallTime now = begin + std::chrono::hours(29);
  EXPECT_EQ(map.view("lab/support", now).size(), 24U);
  EXPECT_EQ(map.view("lab/support", now).front().hour, begin + std::chrono::hours(6));
  EXPECT_TRUE(map.view("lab/support", now + std::chrono::hours(24)).empty());
  for (size_t i = 0; i < 100; ++i) map.count("r" + std::to_string(i), now, cluster_of("words"), nullptr);
  EXPECT_EQ(map.view("r10", now).size(), 1U);
  EXPECT_TRUE(map.view("r99", now).empty());
}

}  // namespace
}  // namespace holdfast::observe
