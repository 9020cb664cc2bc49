#include "io/huge_pages.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "io/disk.h"
#include "io/temporary_folder.h"

namespace holdfast::io {
namespace {

constexpr size_t page_bytes = 2 << 20;
constexpr size_t piece_bytes = 4096;  // Written so, a file's pages are small on most file systems.

// Never 0.
std::byte expected(size_t index) {
  return static_cast<std::byte>(1 + (index / 7 + index / piece_bytes) % 251);
}

bool is_as_written(ByteView bytes, size_t stride) {
  for (size_t index = 0; index < bytes.size(); index += stride)
    if (bytes[index] != expected(index)) return false;
  return true;
}

class HugePagesTest : public testing::Test {
 protected:
  void write(size_t bytes) {
    Bytes content(bytes);
    for (size_t index = 0; index < bytes; ++index) content[index] = expected(index);
    const auto file = std::move(disk_->create("numbers")).value();
    const ByteView view = content;
    for (size_t at = 0; at < bytes; at += piece_bytes)
      ASSERT_TRUE(file->append(view.subspan(at, std::min(piece_bytes, bytes - at))).ok());
  }

  TemporaryFolder folder_;
  std::unique_ptr<Disk> disk_ = std::move(open_posix_disk(folder_.path())).value();
};

TEST_F(HugePagesTest, BytesStayWhereTheyAreForWhoeverReadsMeanwhile) {
  write(12 * page_bytes + 12'345);
  for (int round = 0; round < 4; ++round) {
    const auto mapped = std::move(disk_->map("numbers")).value();
    const std::byte* const at = mapped->bytes().data();
    ASSERT_TRUE(is_as_written(mapped->bytes(), 61));
    std::atomic<bool> done = false;
    std::atomic<size_t> wrong = 0, readings = 0;
    {
      std::vector<std::jthread> readers;
      for (int reader = 0; reader < 2; ++reader)
        readers.emplace_back([&] {
          do {
            if (!is_as_written(mapped->bytes(), 4093)) ++wrong;
            ++readings;
          } while (!done);
        });
      while (readings < 2) std::this_thread::yield();
      const size_t moved = mapped->settle();
      EXPECT_EQ(moved % page_bytes, 0u);
      EXPECT_LE(moved, 12 * page_bytes);
      done = true;
    }
    EXPECT_EQ(wrong, 0u);
    EXPECT_EQ(mapped->bytes().data(), at);
    EXPECT_TRUE(is_as_written(mapped->bytes(), 3));
    EXPECT_EQ(mapped->settle(), 0u) << "all that can be is in huge pages";
  }
}

TEST_F(HugePagesTest, WhatMovedIsNobodyElsesToChange) {
  write(4 * page_bytes);
  const auto mapped = std::move(disk_->map("numbers")).value();
  ASSERT_TRUE(is_as_written(mapped->bytes(), 61));
  // A mapping need not begin at a huge page: less than one at each end stays.
  const size_t moved = mapped->settle();
  if (moved < 3 * page_bytes)
    GTEST_SKIP() << "SKIPPED: the kernel gave huge pages for " << moved << " bytes of " << 4 * page_bytes
                 << " only";
  const auto other = std::move(disk_->open_append("numbers")).value();
  ASSERT_TRUE(other->write_at(0, Bytes(4 * page_bytes, std::byte{0})).ok());
  size_t kept = 0;
  for (size_t index = 0; index < 4 * page_bytes; index += piece_bytes)
    if (mapped->bytes()[index] == expected(index)) kept += piece_bytes;
  EXPECT_GE(kept, moved);
}

TEST_F(HugePagesTest, FilesSmallerThanAPageAndEmptyOnesStay) {
  for (const size_t bytes : {size_t{0}, size_t{1}, page_bytes - 1}) {
    write(bytes);
    const auto mapped = std::move(disk_->map("numbers")).value();
    ASSERT_TRUE(is_as_written(mapped->bytes(), 1));
    EXPECT_EQ(mapped->settle(), 0u) << bytes;
    EXPECT_TRUE(is_as_written(mapped->bytes(), 1));
    ASSERT_TRUE(disk_->remove("numbers").ok());
  }
}

}  // namespace
}  // namespace holdfast::io
