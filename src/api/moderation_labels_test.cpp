#include "api/moderation_labels.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace holdfast::api {
namespace {

namespace json = boost::json;

TEST(ModerationLabels, WordsOfPublicModelsAndTheCategoriesThemselvesAreKnown) {
  const ModerationLabels labels;
  for (const std::string_view category : moderation_categories)
    EXPECT_EQ(labels.category_of(category), category);
  EXPECT_EQ(labels.category_of("Hate_Threatening"), "hate/threatening");
  EXPECT_EQ(labels.category_of("severe_toxic"), "harassment");
  EXPECT_EQ(labels.category_of("identity_hate"), "hate");
  EXPECT_EQ(labels.category_of("POSITIVE"), "");
}

TEST(ModerationLabels, AFileSaysWhatALabelStandsForAndWhenItCounts) {
  const auto read =
      ModerationLabels::read(R"({"labels": {"LABEL_1": "violence/graphic", "toxic": ""}, "threshold": 0.8})");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read.value().category_of("LABEL_1"), "violence/graphic");
  EXPECT_EQ(read.value().category_of("toxic"), "harassment");
  const json::array scores = {json::object{{"label", "LABEL_1"}, {"score", 0.7}}};
  const json::object below = moderation_result(read.value(), scores);
  EXPECT_FALSE(below.at("flagged").as_bool());
  EXPECT_EQ(below.at("category_scores").at("violence/graphic").as_double(), 0.7);
  EXPECT_TRUE(moderation_result(ModerationLabels(), {json::object{{"label", "hate"}, {"score", 0.5}}})
                  .at("flagged")
                  .as_bool());
  EXPECT_FALSE(ModerationLabels::read(R"({"labels": {"a": "nonsense"}})").ok());
  EXPECT_FALSE(ModerationLabels::read(R"({"threshold": 3})").ok());
  EXPECT_FALSE(ModerationLabels::read("[]").ok());
}

TEST(ModerationLabels, TheHighestOfSeveralLabelsOfACategoryCounts) {
  const json::array scores = {json::object{{"label", "toxic"}, {"score", 0.2}},
                              json::object{{"label", "insult"}, {"score", 0.9}},
                              json::object{{"label", "neutral"}, {"score", 0.99}}};
  const json::object result = moderation_result(ModerationLabels(), scores);
  EXPECT_EQ(result.at("category_scores").at("harassment").as_double(), 0.9);
  EXPECT_EQ(result.at("categories").as_object().size(), moderation_categories.size());
  EXPECT_EQ(result.at("category_scores").at("sexual").as_double(), 0);
}

}  // namespace
}  // namespace holdfast::api
