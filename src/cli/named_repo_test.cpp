#include "cli/named_repo.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::cli {
namespace {

using exchange::RemoteType;

Result<exchange::RemoteRepo> named(std::vector<std::string_view> words) {
  static constexpr FlagRow flags[] = {type_flag};
  const auto arguments = Arguments::parse({flags, 1, 1}, words);
  EXPECT_TRUE(arguments.ok());
  return repo_of(arguments.value(), arguments.value().positionals()[0]);
}

TEST(NamedRepo, ItsKindStandsBeforeItOrInTheFlag) {
  struct Case {
    std::vector<std::string_view> words;
    RemoteType type;
    const char* name;
  };
  for (const auto& [words, type, name] :
       {Case{{"demo/rows"}, RemoteType::model, "demo/rows"},
        Case{{"datasets/demo/rows"}, RemoteType::dataset, "demo/rows"},
        Case{{"spaces/demo/app"}, RemoteType::space, "demo/app"},
        Case{{"models/demo/m"}, RemoteType::model, "demo/m"},
        Case{{"demo/rows", "--repo-type", "dataset"}, RemoteType::dataset, "demo/rows"},
        Case{{"datasets/demo/rows", "--repo-type", "dataset"}, RemoteType::dataset, "demo/rows"}}) {
    const auto repo = named(words);
    ASSERT_TRUE(repo.ok()) << words[0] << ": " << repo.error().message;
    EXPECT_EQ(repo.value().type, type) << words[0];
    EXPECT_EQ(repo.value().name, name) << words[0];
  }
}

TEST(NamedRepo, WhatNamesNoneIsRefused) {
  for (const std::vector<std::string_view>& words : {std::vector<std::string_view>{"rows"},
                                                     {"a/b/c"},
                                                     {"datasets/a/b/c"},
                                                     {"a/b", "--repo-type", "book"},
                                                     {"datasets/demo/rows", "--repo-type", "model"},
                                                     {"spaces/demo/app", "--repo-type", "dataset"}})
    EXPECT_EQ(named(words).error().reason, Reason::bad_request) << words[0];
}

}  // namespace
}  // namespace holdfast::cli
