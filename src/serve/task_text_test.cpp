#include "serve/task_text.h"

#include <gtest/gtest.h>

namespace holdfast::serve {
namespace {

TEST(TaskText, AFileWithZeroBytesComesBackWhole) {
  const std::string file("\0\x89PNG\0\0", 7);
  const std::string text = task_text(R"({"task":"a"})", file);
  const TaskText parts = split_task_text(text);
  EXPECT_EQ(parts.json, R"({"task":"a"})");
  EXPECT_EQ(parts.file, file);
}

TEST(TaskText, WithoutAFileItIsTheJsonAlone) {
  const std::string text = task_text(R"({"task":"a"})", {});
  EXPECT_EQ(text, R"({"task":"a"})");
  EXPECT_TRUE(split_task_text(text).file.empty());
}

}  // namespace
}  // namespace holdfast::serve
