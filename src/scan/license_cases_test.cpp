#include "scan/license_cases.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <sstream>

namespace holdfast::scan {
namespace {

std::string text_of(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(LicenseCases, NothingThatPeopleDidNotAllowIsSaidToBeAllowed) {
  const auto cases = parse_license_cases(text_of("tests/golden/licences/decisions.tsv"));
  ASSERT_TRUE(cases.ok()) << cases.error().message;
  ASSERT_GT(cases.value().size(), 150u);
  const LicenseConfusion confusion = compare_license_cases(cases.value());
  EXPECT_EQ(confusion.guessed(), 0u);
  for (const std::string& difference : confusion.differences) ADD_FAILURE() << difference;
  EXPECT_EQ(confusion.agreed(), confusion.all());
  // What the documentation publishes is this.
  EXPECT_NE(text_of("docs/licences.md").find(confusion_table(confusion)), std::string::npos)
      << confusion_table(confusion);
}

TEST(LicenseCases, WhatIsUnknownAnywhereInAChainIsNeverAllowed) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto table = license_table();
  const std::vector<std::string> unknown{"",     "other",       "unknown",  "acme-2.1", "MIT AND acme",
                                         "MIT(", "mit license", "cc",       "gpl-9.9",  "LicenseRef-a",
                                         "OR",   "MIT WITH x",  "mit,gpl3", "none",     "\xff\xfe"};
  for (int round = 0; round < 400; ++round) {
    std::vector<Component> parts;
    for (size_t i = 0; i <= random() % 4; ++i)
      parts.push_back(
          {static_cast<Component::Role>(random() % 4), "x", std::string(table[random() % table.size()].id)});
    const std::string& wrong = unknown[random() % unknown.size()];
    parts[random() % parts.size()].license = wrong;
    for (size_t use = 0; use < license_uses; ++use)
      EXPECT_GE(judge_licenses(parts, license_use(use)).verdict, Verdict::review)
          << wrong << " by seed " << seed;
  }
}

TEST(LicenseCases, AnotherPartNeverMakesItBetter) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  const auto table = license_table();
  const auto any = [&](Component::Role role) {
    return Component{role, "x", std::string(table[random() % table.size()].id)};
  };
  for (int round = 0; round < 400; ++round) {
    std::vector<Component> parts{any(Component::Role::model)};
    const size_t use = random() % license_uses;
    for (int i = 0; i < 3; ++i) {
      const Verdict before = judge_licenses(parts, license_use(use)).verdict;
      parts.push_back(any(static_cast<Component::Role>(1 + random() % 3)));
      EXPECT_GE(judge_licenses(parts, license_use(use)).verdict, before) << "by seed " << seed;
    }
  }
}

TEST(LicenseCases, WhatIsNoCaseIsRefusedWithItsLine) {
  for (const char* wrong : {"AAAA\tmodel mit\tshort", "AAAAAX\tmodel mit\tletter", "AAAAAA\tmodel mit\t",
                            "AAAAAA\tmodell mit\trole", "AAAAAA\tmodel\tno licence", "AAAAAA\t\tnothing"}) {
    const auto cases = parse_license_cases(std::string("# first\n") + wrong + "\n");
    ASSERT_FALSE(cases.ok()) << wrong;
    EXPECT_TRUE(cases.error().message.starts_with("line 2: ")) << cases.error().message;
  }
}

}  // namespace
}  // namespace holdfast::scan
