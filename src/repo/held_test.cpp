#include "repo/held.h"

#include "repo/hub_test_kit.h"

namespace holdfast::repo {
namespace {

const std::string card = "---\nlicense: mit\n---\n# M\n";
const std::string aws_key = std::string("AK") + "IAZ7QWERTYPLMNBVCX";

class HeldTest : public testing::Test {
 protected:
  void put(const Repository& repository, const std::string& path, const std::string& text) {
    TestHub::require_value(hub_.commit(hub_.caller("ada"), repository, path, text));
  }
  std::vector<std::string> held() {
    std::vector<std::string> out;
    const HeldRevisions found = TestHub::require_value(held_revisions(hub_.database(), hub_.hub()));
    EXPECT_EQ(found.unseen, 0U);
    for (const HeldRevision& each : found.held) out.push_back(each.repository.name);
    return out;
  }
  TestHub hub_;
};

TEST_F(HeldTest, WhatNobodyLookedAtIsLookedAtAndOnlyTheNewestCommitCounts) {
  const Repository good = hub_.create("ada", "ada/good"), bad = hub_.create("ada", "ada/bad");
  for (const Repository& each : {good, bad}) put(each, "README.md", card);
  put(bad, "notes.txt", "key = " + aws_key + "\n");
  EXPECT_EQ(held(), std::vector<std::string>{"bad"});
  const HeldRevisions found = TestHub::require_value(held_revisions(hub_.database(), hub_.hub()));
  EXPECT_NE(found.held.at(0).verdict.find("notes.txt"), std::string::npos);
  put(bad, "notes.txt", "nothing\n");
  EXPECT_EQ(held(), std::vector<std::string>{});
}

TEST_F(HeldTest, AnotherPolicyIsAnotherList) {
  const Repository bad = hub_.create("ada", "ada/bad");
  put(bad, "README.md", card);
  put(bad, "notes.txt", "key = " + aws_key + "\n");
  EXPECT_EQ(held(), std::vector<std::string>{"bad"});
  hub_.hub().checks.configure({.secrets = OnFinding::warn}, {});
  EXPECT_EQ(held(), std::vector<std::string>{});
}

TEST_F(HeldTest, ManyAreLookedAtAFewAtATime) {
  for (int i = 0; i < 20; ++i)
    put(hub_.create("ada", "ada/m" + std::to_string(i)), "notes.txt", "key = " + aws_key + "\n");
  const HeldRevisions first = TestHub::require_value(held_revisions(hub_.database(), hub_.hub()));
  EXPECT_EQ(first.held.size() + first.unseen, 20U);
  EXPECT_GT(first.unseen, 0U);
  EXPECT_EQ(held().size(), 20U);
}

}  // namespace
}  // namespace holdfast::repo
