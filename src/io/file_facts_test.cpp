#include "io/file_facts.h"

#include <gtest/gtest.h>

#include "io/symlink.h"
#include "io/temporary_folder.h"

namespace holdfast::io {
namespace {

TEST(FileFacts, TellAFileFromOneThatWasWrittenInItsPlace) {
  const TemporaryFolder folder;
  const auto disk = open_posix_disk(folder.path()).value();
  ASSERT_TRUE(publish_text(*disk, "file", "text").ok());
  const FileFacts first = file_facts(*disk, "file").value();
  EXPECT_TRUE(first.is_file);
  EXPECT_TRUE(first.is_ours);
  EXPECT_EQ(first.size, 4U);
  EXPECT_EQ(file_facts(*disk, "file").value().changed_ns, first.changed_ns);
  ASSERT_TRUE(publish_text(*disk, "file", "next").ok());
  const FileFacts second = file_facts(*disk, "file").value();
  EXPECT_TRUE(second.inode != first.inode || second.changed_ns != first.changed_ns);
  ASSERT_TRUE(make_symlink(*disk, "file", "link").ok());
  EXPECT_EQ(file_facts(*disk, "link").value().inode, second.inode) << "a link is what it points to";
  EXPECT_FALSE(file_facts(*disk, ".").value().is_file);
  EXPECT_EQ(file_facts(*disk, "none").error().code, Code::not_found);
}

TEST(FileFacts, KnowWhatWasUsed) {
  const TemporaryFolder folder;
  const auto disk = open_posix_disk(folder.path()).value();
  ASSERT_TRUE(publish_text(*disk, "file", "text").ok());
  std::filesystem::last_write_time(folder.path() / "file",
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  const int64_t before = file_facts(*disk, "file").value().modified_ns;
  ASSERT_TRUE(mark_used(*disk, "file").ok());
  EXPECT_GT(file_facts(*disk, "file").value().modified_ns, before + int64_t{3500} * 1'000'000'000);
  EXPECT_EQ(mark_used(*disk, "none").error().code, Code::not_found);
}

}  // namespace
}  // namespace holdfast::io
