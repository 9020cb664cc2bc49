#include "io/folder_lock.h"

#include <gtest/gtest.h>

#include "io/temporary_folder.h"

namespace holdfast::io {
namespace {

TEST(FolderLock, the_second_hears_who_was_first) {
  const TemporaryFolder folder;
  {
    const auto first = lock_folder(folder.path(), "serve.lock", "holdfast serve, pid 4711");
    ASSERT_TRUE(first.ok());
    const auto second = lock_folder(folder.path(), "serve.lock", "holdfast serve, pid 4712");
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, Code::conflict);
    EXPECT_EQ(second.error().message, "the data folder is in use by: holdfast serve, pid 4711");
    EXPECT_TRUE(lock_folder(folder.path(), "other.lock", "gc").ok());
  }
  EXPECT_TRUE(lock_folder(folder.path(), "serve.lock", "pid 4713").ok());
}

TEST(FolderLock, a_missing_folder_is_an_error) {
  const TemporaryFolder folder;
  EXPECT_EQ(lock_folder(folder.path() / "none", "lock", "x").error().code, Code::not_found);
}

}  // namespace
}  // namespace holdfast::io
