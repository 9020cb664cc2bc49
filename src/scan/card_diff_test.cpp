#include "scan/card_diff.h"

#include <gtest/gtest.h>

namespace holdfast::scan {
namespace {

using Part = CardDifference::Part;

const std::string card =
    "---\nlicense: mit\ntags:\n- a\n- b\n---\n# M\nA model.\n\n## Uses\nSorting.\n\n### Out of "
    "scope\nFlying.\n";

const CardDifference* find(const std::vector<CardDifference>& changes, Part part, std::string_view name) {
  for (const CardDifference& each : changes)
    if (each.part == part && each.name == name) return &each;
  return nullptr;
}

TEST(CardDiff, ACardIsTheSameAsItself) {
  EXPECT_TRUE(diff_cards(card, card).empty());
  EXPECT_TRUE(diff_cards("", "").empty());
  std::string other_ends;
  for (const char c : card) other_ends += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_TRUE(diff_cards(card, other_ends).empty()) << "the ends of lines are no change";
  EXPECT_TRUE(diff_cards("# A\n\n\ntext\n", "# A\ntext\n\n").empty());
}

TEST(CardDiff, EachKeyAndEachSectionIsAPartOfItsOwn) {
  const auto changes = diff_cards(card,
                                  "---\nlicense: cc-by-nc-4.0\ntags:\n- a\n- b\nlanguage: en\n---\n# M\nA "
                                  "model.\n## Uses\nSorting mail.\n"
                                  "## Limits\nMany.\n");
  ASSERT_EQ(changes.size(), 5U);
  const CardDifference* license = find(changes, Part::metadata, "license");
  ASSERT_NE(license, nullptr);
  EXPECT_EQ(license->before, "mit");
  EXPECT_EQ(license->after, "cc-by-nc-4.0");
  const CardDifference* language = find(changes, Part::metadata, "language");
  ASSERT_NE(language, nullptr);
  EXPECT_FALSE(language->was);
  const CardDifference* uses = find(changes, Part::section, "M / Uses");
  ASSERT_NE(uses, nullptr);
  EXPECT_EQ(uses->before, "Sorting.");
  EXPECT_EQ(uses->after, "Sorting mail.");
  EXPECT_NE(find(changes, Part::section, "M / Limits"), nullptr);
  const CardDifference* gone = find(changes, Part::section, "M / Uses / Out of scope");
  ASSERT_NE(gone, nullptr);
  EXPECT_FALSE(gone->is);
  EXPECT_EQ(&changes.back(), gone) << "what is gone comes last";
}

TEST(CardDiff, AListUnderAKeyBelongsToIt) {
  const auto changes = diff_cards("---\ntags:\n- a\n---\n", "---\ntags:\n- a\n- b\n---\n");
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].name, "tags");
  EXPECT_EQ(changes[0].after, "- a\n- b");
}

TEST(CardDiff, HeadingsInCodeAndLinesOfHashesAreText) {
  const auto changes = diff_cards("# A\n```\n# not one\n```\n", "# A\n```\n# not one either\n```\n#tag\n");
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].name, "A");
}

TEST(CardDiff, AHeadingTwiceIsTwoParts) {
  const auto changes = diff_cards("# A\n## X\none\n## X\ntwo\n", "# A\n## X\none\n## X\nthree\n");
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].name, "A / X (2)");
}

TEST(CardDiff, MetadataThatIsNotClosedIsText) {
  const auto changes = diff_cards("", "---\nlicense: mit\n# A\n");
  for (const CardDifference& each : changes) EXPECT_EQ(each.part, Part::section);
}

TEST(CardDiff, ACardOfHeadingsAloneEnds) {
  std::string many;
  for (int i = 0; i < 50'000; ++i) many += "# h" + std::to_string(i) + "\n";
  EXPECT_LE(diff_cards("", many).size(), 2000U);
}

}  // namespace
}  // namespace holdfast::scan
