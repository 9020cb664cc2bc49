#include "io/symlink.h"

#include <gtest/gtest.h>

#include "io/temporary_folder.h"

namespace holdfast::io {
namespace {

TEST(Symlink, is_made_read_and_replaced_but_never_in_place_of_a_file) {
  TemporaryFolder folder;
  auto disk = open_posix_disk(folder.path());
  ASSERT_TRUE(disk.ok());
  ASSERT_TRUE(make_symlink(*disk.value(), "../blobs/a", "link").ok());
  EXPECT_EQ(read_symlink(*disk.value(), "link").value(), Path("../blobs/a"));
  ASSERT_TRUE(make_symlink(*disk.value(), "../blobs/b", "link").ok());
  EXPECT_EQ(read_symlink(*disk.value(), "link").value(), Path("../blobs/b"));
  ASSERT_TRUE(publish_text(*disk.value(), "file", "text").ok());
  EXPECT_EQ(make_symlink(*disk.value(), "x", "file").error().reason, Reason::already_exists);
  EXPECT_FALSE(read_symlink(*disk.value(), "file").ok());
}

}  // namespace
}  // namespace holdfast::io
