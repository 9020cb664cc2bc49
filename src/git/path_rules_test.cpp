#include "git/path_rules.h"

#include <gtest/gtest.h>

namespace holdfast::git {
namespace {

TEST(CheckPath, RefusesWhatCouldLeaveTheRepositoryOrBreakAClient) {
  struct Case {
    const char* why;
    std::string path;
    bool good;
  };
  const Case cases[] = {
      {"plain", "a/b/c.txt", true},
      {"spaces and unicode", "my model/größe 模型.bin", true},
      {"dot files", ".gitattributes", true},
      {"git in a name", "x.git/config", true},
      {"colon", "a:b", true},
      {"empty", "", false},
      {"absolute", "/a", false},
      {"empty segment", "a//b", false},
      {"trailing slash", "a/", false},
      {"dot", "a/./b", false},
      {"dot dot", "../a", false},
      {"git folder", ".git/hooks/x", false},
      {"git folder, other case", "a/.GiT", false},
      {"NTFS short name", "GIT~1/x", false},
      {"NTFS trailing dot", ".git./x", false},
      {"NTFS trailing space", ".git /x", false},
      {"NTFS stream", ".git::$INDEX_ALLOCATION/x", false},
      {"HFS ignored code point", ".g\u200cit/x", false},
      {"HFS ignored at the end", ".git\ufeff", false},
      {"backslash", "a\\b", false},
      {"newline", "a\nb", false},
      {"NUL", std::string("a\0b", 3), false},
      {"delete", "a\x7f", false},
      {"overlong UTF-8", "a\xc0\xaf", false},
      {"cut UTF-8", "a\xe2\x82", false},
      {"surrogate", "a\xed\xa0\x80", false},
      {"long name", std::string(255, 'x'), true},
      {"too long name", std::string(256, 'x'), false},
  };
  for (const auto& [why, path, good] : cases) EXPECT_EQ(check_path(path).ok(), good) << why;
  std::string deep = "a";
  for (int i = 0; i < 63; ++i) deep += "/a";
  EXPECT_TRUE(check_path(deep).ok());
  EXPECT_FALSE(check_path(deep + "/a").ok());
  std::string wide;
  for (int i = 0; i < 5; ++i) wide += std::string(204, 'x') + "/";
  EXPECT_FALSE(check_path(wide + "y").ok());
}

TEST(CheckRefName, FollowsGit) {
  for (const char* good : {"refs/heads/main", "refs/pr/1", "refs/heads/a/b-c", "refs/tags/v1.0"})
    EXPECT_TRUE(check_ref_name(good).ok()) << good;
  for (const char* bad :
       {"main", "HEAD", "refs/heads/", "refs/heads/a..b", "refs/heads/a b", "refs/heads/.a",
        "refs/heads/a.lock", "refs/heads/a~1", "refs/heads/a\nb", "refs/heads//a", "refs/../x"})
    EXPECT_FALSE(check_ref_name(bad).ok()) << bad;
  EXPECT_TRUE(check_branch_name("feature/x").ok());
  for (const char* bad : {"HEAD", "-x", "refs/heads/x", "a b", "0123456789012345678901234567890123456789"})
    EXPECT_FALSE(check_branch_name(bad).ok()) << bad;
}

}  // namespace
}  // namespace holdfast::git
