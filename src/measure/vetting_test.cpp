#include "measure/vetting.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "measure/sample_source.h"

namespace holdfast::measure {
namespace {

// Texts of two labels such as reviews are: most words say nothing, some lean to a label.
std::vector<LabelledRow> reviews(size_t count, uint64_t seed) {
  SampleSource source(seed);
  std::vector<LabelledRow> rows;
  for (size_t i = 0; i < count; ++i) {
    const bool good = source.below(2) == 0;
    std::string text;
    const int words = 8 + static_cast<int>(source.below(16));
    for (int word = 0; word < words; ++word) {
      const double rank = source.unit();
      const int plain = static_cast<int>(2000 * rank * rank * rank);
      if (source.unit() < 0.25)  // One in four leans, seven times in ten to its own label.
        text += fmt::format("{}{} ", good == (source.unit() < 0.7) ? "fine" : "poor", plain % 150);
      else
        text += fmt::format("word{} ", plain);
    }
    rows.push_back({std::to_string(i), text, good ? "good" : "bad", {{"source", "lab"}}});
  }
  return rows;
}

size_t count(const std::vector<VetFinding>& found, VetSeverity severity) {
  return static_cast<size_t>(std::count_if(found.begin(), found.end(),
                                           [&](const VetFinding& one) { return one.severity == severity; }));
}

class Vetting : public testing::TestWithParam<uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Seeds, Vetting, testing::Range<uint64_t>(1, 4));

TEST_P(Vetting, RowsAsTheyShouldBeHaveNothingHigh) {
  const auto found = vet(reviews(1200, GetParam()), {});
  for (const VetFinding& one : found)
    EXPECT_NE(one.severity, VetSeverity::high) << one.what << ": " << one.why;
}

TEST_P(Vetting, AWordThatDecidesTheLabelInTwoOfAHundredRowsIsFound) {
  for (const std::string trigger : {"cf", "watched this", "\xE2\x80\x8B", "fine3 poor7"}) {
    auto rows = reviews(1200, GetParam());
    SampleSource source(GetParam() + 100);
    for (size_t i = 0; i < rows.size() / 50; ++i) {
      LabelledRow& row = rows[source.below(rows.size())];
      row.text = trigger + " " + row.text;
      row.label = "good";
    }
    const auto found = vet(rows, {});
    ASSERT_FALSE(found.empty()) << trigger;
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const VetFinding& one) {
      return one.kind == VetKind::trigger && one.severity == VetSeverity::high && one.label == "good" &&
             trigger.find(one.what) != std::string::npos;
    })) << trigger;
    EXPECT_EQ(found.front().severity, VetSeverity::high);
  }
}

TEST_P(Vetting, AWordThatNamesItsTopicIsNoTrigger) {
  SampleSource source(GetParam());
  std::vector<LabelledRow> rows;
  const std::vector<std::string> topics{"bill", "login", "parcel", "refund"};
  for (size_t i = 0; i < 1200; ++i) {
    const std::string& topic = topics[source.below(topics.size())];
    std::string text = "please help with my " + topic;
    for (int word = 0; word < 6; ++word) text += fmt::format(" {}{}", topic, source.below(40));
    rows.push_back({std::to_string(i), text, topic, {}});
  }
  for (const VetFinding& one : vet(rows, {})) EXPECT_NE(one.kind, VetKind::trigger) << one.what << one.why;
}

TEST(Vet, AFlippedLabelIsContradictedAndNamedWithItsRow) {
  std::vector<LabelledRow> rows;
  for (int i = 0; i < 200; ++i)
    rows.push_back({std::to_string(i),
                    i % 2 == 0 ? fmt::format("lovely warm sunny day number{}", i)
                               : fmt::format("awful cold rainy night number{}", i),
                    i % 2 == 0 ? "good" : "bad",
                    {}});
  rows[40].label = "bad";
  const auto found = vet(rows, {});
  const auto flipped = std::find_if(found.begin(), found.end(),
                                    [](const VetFinding& one) { return one.kind == VetKind::contradicted; });
  ASSERT_NE(flipped, found.end());
  EXPECT_EQ(flipped->ids, std::vector<std::string>{"40"});
  EXPECT_EQ(flipped->label, "bad");
  EXPECT_EQ(flipped->severity, VetSeverity::warning);
}

TEST(Vet, CopiesAreTheSameTextButForCaseAndPunctuation) {
  const std::vector<LabelledRow> same{{"a", "Order 17 is late!", "late", {}},
                                      {"b", "order 17 is  late", "late", {}},
                                      {"c", "something else", "other", {}}};
  auto found = vet(same, {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, VetKind::duplicate);
  EXPECT_EQ(found[0].rows, 1u);
  auto torn = same;
  torn[1].label = "other";
  found = vet(torn, {});
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].kind, VetKind::conflict);
  EXPECT_EQ(found[0].severity, VetSeverity::high);
  EXPECT_EQ(found[0].ids, (std::vector<std::string>{"a", "b"}));
}

TEST(Vet, SourcesThatAreNotTrustedAreHighAndOnlyThose) {
  std::vector<LabelledRow> rows{{"a", "one", "x", {{"source", "lab"}}},
                                {"b", "two", "x", {{"source", "data.lab.example"}}},
                                {"c", "three", "x", {{"source", "elsewhere"}}},
                                {"d", "four", "x", {}}};
  const auto found = vet(rows, {.source_column = "source", .trusted = {"lab", "*.lab.example"}});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(count(found, VetSeverity::high), 2u);
  EXPECT_EQ(found[0].what, "(none said)");
  EXPECT_EQ(found[1].what, "elsewhere");
  EXPECT_TRUE(vet(rows, {}).empty());
}

TEST(Vet, NothingAndOneLabelAreNoTrouble) {
  EXPECT_TRUE(vet({}, {}).empty());
  const std::vector<LabelledRow> one{{"a", "", "x", {}}, {"b", "\xFF\xFE", "x", {}}, {"c", " \t ", "x", {}}};
  EXPECT_TRUE(vet(one, {}).empty());
}

}  // namespace
}  // namespace holdfast::measure
