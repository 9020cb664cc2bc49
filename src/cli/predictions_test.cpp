#include "cli/predictions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/value.hpp>

#include "codec/json.h"

namespace holdfast::cli {
namespace {

std::vector<measure::LabelledRow> rows(size_t count) {
  std::vector<measure::LabelledRow> out(count);
  for (size_t i = 0; i < count; ++i) out[i].text = "text " + std::to_string(i);
  return out;
}
PredictionPlan plan() { return {.model = "demo/m", .source = "demo/d@1", .split = "test", .column = "text"}; }

std::string answer(size_t row, int status = 200) {
  return R"({"id":"x","custom_id":")" + std::to_string(row) + R"(","response":{"status_code":)" +
         std::to_string(status) + R"(,"request_id":"r","body":{"n":)" + std::to_string(row) +
         "}},\"error\":null}\n";
}

TEST(Predictions, EachRowHasOneRequestAndASlicesInputIsBounded) {
  const auto all = rows(45'000);
  size_t first = 0, lines = 0, parts = 0;
  while (first < all.size()) {
    const std::string input = batch_input(plan(), all, first);
    lines += static_cast<size_t>(std::count(input.begin(), input.end(), '\n'));
    ++parts;
  }
  EXPECT_EQ(lines, all.size());
  EXPECT_EQ(parts, 3U);
  EXPECT_EQ(plan().request(7, "a\"b"),
            R"({"custom_id":"7","method":"POST","url":"/models/demo/m","body":{"inputs":"a\"b"}})");
}

TEST(Predictions, AnswersInAnyOrderBecomeRowsInTheirs) {
  size_t failed = 0;
  const auto made = predictions_of(plan(), rows(3), {answer(2) + answer(0), answer(1, 400)}, failed);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(failed, 1U);
  EXPECT_EQ(made.value(),
            "{\"row\":0,\"text\":\"text 0\",\"prediction\":{\"n\":0},\"error\":null}\n"
            "{\"row\":1,\"text\":\"text 1\",\"prediction\":null,\"error\":\"{\\\"n\\\":1}\"}\n"
            "{\"row\":2,\"text\":\"text 2\",\"prediction\":{\"n\":2},\"error\":null}\n");
}

TEST(Predictions, ARowWithoutAnAnswerOrWithTwoIsNoResult) {
  size_t failed = 0;
  EXPECT_FALSE(predictions_of(plan(), rows(2), {answer(0)}, failed).ok());
  EXPECT_FALSE(predictions_of(plan(), rows(1), {answer(0) + answer(0)}, failed).ok());
  EXPECT_FALSE(predictions_of(plan(), rows(1), {answer(0) + answer(5)}, failed).ok());
}

TEST(Predictions, TheKeyIsOfAllThatDecidesTheAnswers) {
  const auto all = rows(2);
  PredictionPlan other = plan();
  EXPECT_EQ(plan().key(all), other.key(all));
  other.parameters["top_k"] = 1;
  EXPECT_NE(plan().key(all), other.key(all));
  EXPECT_NE(plan().key(all), plan().key(rows(3)));
}

}  // namespace
}  // namespace holdfast::cli
