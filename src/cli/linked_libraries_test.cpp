#include "cli/linked_libraries.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

TEST(LinkedLibraries, WhatAnswersDependOnIsNamedWithItsVersionAndBuild) {
  const auto all = linked_libraries();
  for (const char* name : {"libc", "libm", "libicuuc", "libboost_json", "libpcre2-8"}) {
    ASSERT_TRUE(all.contains(name)) << name;
    const std::string& told = all.at(name);
    EXPECT_TRUE(told[0] >= '0' && told[0] <= '9') << name << " " << told;
    const size_t space = told.find(' ');
    ASSERT_NE(space, std::string::npos) << told;
    EXPECT_EQ(told.substr(space + 1).find_first_not_of("0123456789abcdef"), std::string::npos)
        << name << " has no build's id: " << told;
  }
  EXPECT_FALSE(all.contains("libssl")) << "nothing that a model says follows from it";
  EXPECT_EQ(all, linked_libraries());
}

}  // namespace
}  // namespace holdfast::cli
