#include "measure/answered_rows.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "measure/split_files.h"

namespace holdfast::measure {
namespace {

LabelledRow row(std::string id, std::string label) {
  return {.id = std::move(id), .text = "x", .label = std::move(label), .others = {}};
}

TEST(AnsweredRows, TheOrderInWhichClassesComeChangesNoBit) {
  std::vector<LabelScore> logits{{"c", 0.3F}, {"a", 1.7F}, {"b", -2.1F}, {"d", 1.69F}};
  const RowAnswer wanted = answer_of(logits, 1);
  EXPECT_EQ(wanted.predicted, "a");
  for (int i = 0; i < 24; ++i) {
    std::next_permutation(logits.begin(), logits.end(),
                          [](const LabelScore& a, const LabelScore& b) { return a.label < b.label; });
    const RowAnswer answer = answer_of(logits, 1);
    EXPECT_EQ(answer.predicted, wanted.predicted);
    EXPECT_EQ(answer.confidence, wanted.confidence);
  }
  EXPECT_EQ(answer_of({{"b", 1}, {"a", 1}}, 0).predicted, "a");  // Of equals the first in the alphabet.
}

TEST(AnsweredRows, ClassesAreNumberedByTheAlphabetAndStrangeOnesAreNamed) {
  const std::vector<LabelledRow> rows{row("1", "b"), row("2", "a")};
  const auto known = number_answers(rows, {{"b", 0.9, 1}, {"b", 0.8, 1}}, {"c", "b", "a"});
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known.value().labels, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(known.value().rows[1].truth, 0);
  EXPECT_EQ(known.value().predicted(1), "b");
  const auto unsaid = number_answers(rows, {{"b", 0.9, 1}, {"z", 0.8, 1}}, {});
  ASSERT_TRUE(unsaid.ok());
  EXPECT_EQ(unsaid.value().labels, (std::vector<std::string>{"a", "b", "z"}));
  EXPECT_NE(number_answers(rows, {{"b", 1, 1}, {"b", 1, 1}}, {"b"}).error().message.find("no class 'a'"),
            std::string::npos);
  EXPECT_NE(number_answers(rows, {{"b", 1, 1}, {"z", 1, 1}}, {"a", "b"}).error().message.find("'z'"),
            std::string::npos);
}

TEST(SplitFiles, AreFoundInTheFolderOrInDataAndNowhereElse) {
  const auto found = [](std::vector<std::string> paths) {
    const auto files = files_of_split(paths, "test");
    std::string out;
    if (!files.ok()) return std::string(files.error().code == Code::not_found ? "none" : "bad");
    for (const DataFile& file : files.value()) out += file.path + " ";
    return out;
  };
  EXPECT_EQ(found({"README.md", "old/test.csv", "data/more/test.csv"}), "none");
  EXPECT_EQ(found({"data/test.jsonl", "test.csv"}), "test.csv ");
  EXPECT_EQ(found({"test.csv", "test.parquet"}), "test.parquet ");
  EXPECT_EQ(found({"data/test-00001-of-00002.parquet", "data/test-00000-of-00002.parquet"}),
            "data/test-00000-of-00002.parquet data/test-00001-of-00002.parquet ");
  EXPECT_EQ(found({"data/test-00001-of-00002.parquet"}), "bad");
}

}  // namespace
}  // namespace holdfast::measure
