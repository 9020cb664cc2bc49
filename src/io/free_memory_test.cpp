#include "io/free_memory.h"

#include <gtest/gtest.h>

#include <string>

#include "io/kernel_text.h"

namespace holdfast::io {
namespace {

constexpr uint64_t mib = 1 << 20;

class FreeMemoryTest : public testing::Test {
 protected:
  std::unique_ptr<Disk> proc = make_memory_disk(), groups = make_memory_disk();

  void put(Disk& disk, const Path& path, std::string_view text) {
    if (path.has_parent_path()) ASSERT_TRUE(disk.make_directories(path.parent_path()).ok());
    ASSERT_TRUE(disk.create(path).value()->append(as_bytes(text)).ok());
  }
  std::optional<uint64_t> free(PageCache cache = PageCache::inactive) {
    return free_memory(*proc, *groups, cache);
  }
};

TEST_F(FreeMemoryTest, NothingIsSaidWhereTheMachineDoesNotTell) {
  EXPECT_EQ(free(), std::nullopt);
  put(*proc, "meminfo", "MemTotal:  2048 kB\nNotMemAvailable: 3 kB\n");
  EXPECT_EQ(free(), std::nullopt);
}

TEST_F(FreeMemoryTest, TheLeastOfMachineGroupAndGroupsAbove) {
  put(*proc, "meminfo", "MemTotal:  2048 kB\nMemAvailable:    1048576 kB\n");
  EXPECT_EQ(free(), 1024 * mib);
  put(*proc, "self/cgroup", "1:cpu:/other\n0::/house/room\n");
  EXPECT_EQ(free(), 1024 * mib) << "a group whose files are not there";
  put(*groups, "house/room/memory.max", "max\n");
  put(*groups, "house/room/memory.current", "1\n");
  EXPECT_EQ(free(), 1024 * mib) << "a group without a limit";
  put(*groups, "house/memory.max", std::to_string(100 * mib) + "\n");
  put(*groups, "house/memory.current", std::to_string(90 * mib) + "\n");
  EXPECT_EQ(free(), 10 * mib);
  put(*groups, "house/memory.stat",
      "anon 5\ninactive_file " + std::to_string(40 * mib) + "\nactive_file " + std::to_string(30 * mib) +
          "\n");
  EXPECT_EQ(free(PageCache::inactive), 50 * mib);
  EXPECT_EQ(free(PageCache::all), 80 * mib);
}

TEST_F(FreeMemoryTest, AContainerSeesItsGroupAsTheRoot) {
  put(*proc, "meminfo", "MemAvailable:    1048576 kB\n");
  put(*proc, "self/cgroup", "0::/\n");
  put(*groups, "memory.max", std::to_string(8 * mib) + "\n");
  put(*groups, "memory.current", std::to_string(9 * mib) + "\n");
  EXPECT_EQ(free(), 0U) << "over its limit";
}

TEST(KernelText, NumbersStandBehindNamesAtTheBeginningOfLines) {
  EXPECT_EQ(field_of("a 1\nb:\t 22 kB\nab 3", "b:"), 22U);
  EXPECT_EQ(field_of("a 1\nb:\t 22 kB\nab 3", "ab "), 3U);
  EXPECT_EQ(field_of("xa 1", "a "), std::nullopt);
  EXPECT_EQ(field_of("a none", "a "), std::nullopt);
  EXPECT_EQ(number_of("max\n"), std::nullopt);
  EXPECT_EQ(number_of("99999999999999999999999"), std::nullopt) << "more than there are numbers";
  EXPECT_EQ(number_of(""), std::nullopt);
}

TEST(KernelText, OfThisMachineIsRead) {
  const auto disk = std::move(open_posix_disk("/proc")).value();
  const auto text = read_kernel_text(*disk, "meminfo");
  ASSERT_TRUE(text.has_value());
  EXPECT_GT(field_of(*text, "MemTotal:").value(), 1024U);
}

}  // namespace
}  // namespace holdfast::io
