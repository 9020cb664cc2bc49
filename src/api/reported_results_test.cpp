#include "api/reported_results.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::api {
namespace {

namespace json = boost::json;

struct Labelled {
  bool verified = false;
  bool names_a_run = false;
};

Labelled label(std::string_view dataset, std::string_view metric) {
  const std::vector<govern::MeasuredResult> measured = {
      {.evaluation = 7,
       .revision = "old",
       .dataset = "demo/support",
       .dataset_revision = "d1",
       .split = "test",
       .metrics = {{"accuracy", 0.5}}},
      {.evaluation = 4,
       .revision = "now",
       .dataset = "demo/support",
       .dataset_revision = "d1",
       .split = "test",
       .metrics = {{"accuracy", 0.91349}, {"f1_macro", 0.88}, {"ece", 0.031}}}};
  auto index = codec::parse_json(
      "[{\"name\":\"m\",\"results\":[{\"task\":{\"type\":\"text-classification\"},"
      "\"dataset\":" +
      std::string(dataset) + ",\"metrics\":[" + std::string(metric) + "]}]}]");
  EXPECT_TRUE(index.ok());
  EXPECT_TRUE(label_results(index.value(), measured, [](std::string_view revision) -> Result<bool> {
                return revision == "now";
              }).ok());
  const json::object& one = index.value()
                                .as_array()[0]
                                .as_object()["results"]
                                .as_array()[0]
                                .as_object()["metrics"]
                                .as_array()[0]
                                .as_object();
  return {one.at("verified").as_bool(), one.contains("verifiedBy")};
}

TEST(ReportedResults, AreVerifiedOnlyByARunHereOfTheSameFilesOnTheSameData) {
  const std::string data = R"({"type":"demo/support","name":"Support"})";
  struct Case {
    const char* name;
    std::string dataset;
    const char* metric;
    bool verified;
  };
  const Case cases[] = {
      {"the figure of the run", data, R"({"type":"accuracy","value":0.91349})", true},
      {"rounded to three decimals", data, R"({"type":"accuracy","value":0.913})", true},
      {"in percent", data, R"({"type":"accuracy","value":91.3})", true},
      {"better than it is", data, R"({"type":"accuracy","value":0.93})", false},
      {"dressed up", data,
       R"({"type":"accuracy","value":0.99,"verified":true,"verifiedBy":{"evaluation":4}})", false},
      {"of other files", data, R"({"type":"accuracy","value":0.5})", false},
      {"macro F1 by its name", data, R"({"type":"f1","name":"Macro F1","value":0.88})", true},
      {"another F1", data, R"({"type":"f1","value":0.88})", false},
      {"balanced accuracy is another figure", data, R"({"type":"balanced_accuracy","value":0.913})", false},
      {"top-5 accuracy is another figure", data,
       R"({"type":"accuracy","name":"Top-5 accuracy","value":0.913})", false},
      {"calibration", data, R"({"type":"ece","value":0.031})", true},
      {"a metric nobody measured", data, R"({"type":"mcc","value":0.8})", false},
      {"text for a number", data, R"({"type":"accuracy","value":"0.913"})", false},
      {"on other data", R"({"type":"glue","name":"GLUE"})", R"({"type":"accuracy","value":0.913})", false},
      {"on another split", R"({"type":"demo/support","split":"train"})",
       R"({"type":"accuracy","value":0.913})", false},
      {"on this split", R"({"type":"demo/support","split":"test"})", R"({"type":"accuracy","value":0.913})",
       true},
      {"of another revision of the data", R"({"type":"demo/support","revision":"d0"})",
       R"({"type":"accuracy","value":0.913})", false},
      {"without data", "null", R"({"type":"accuracy","value":0.913})", false},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    const Labelled got = label(each.dataset, each.metric);
    EXPECT_EQ(got.verified, each.verified);
    EXPECT_EQ(got.names_a_run, each.verified) << "a card cannot name a run";
  }
}

TEST(ReportedResults, OfAnyShapeAreNoError) {
  for (const char* text : {"null", "{}", "[]", "[1]", "[{}]", R"([{"results":{}}])",
                           R"([{"results":[3,{}]}])", R"([{"results":[{"metrics":[5,"x",{}]}]}])"}) {
    auto index = codec::parse_json(text);
    ASSERT_TRUE(index.ok());
    EXPECT_TRUE(label_results(index.value(), {}, [](std::string_view) -> Result<bool> { return true; }).ok())
        << text;
  }
}

}  // namespace
}  // namespace holdfast::api
