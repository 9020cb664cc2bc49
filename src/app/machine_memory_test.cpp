#include "app/machine_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace holdfast::app {
namespace {

constexpr uint64_t mib = 1 << 20;
const serve::ServedModel model{7, "lab/m", std::string(40, 'a')};

class MachineMemoryTest : public ::testing::Test {
 protected:
  std::unique_ptr<io::Disk> proc = io::make_memory_disk(), groups = io::make_memory_disk();

  void put(io::Disk& disk, const io::Path& path, std::string_view text) {
    if (path.has_parent_path()) ASSERT_TRUE(disk.make_directories(path.parent_path()).ok());
    ASSERT_TRUE(disk.create(path).value()->append(as_bytes(text)).ok());
  }
  void worker(const std::string& pid, int parent, std::string_view rss, const std::string& verb = "worker") {
    put(*proc, pid + "/status",
        "Name:\tholdfast\nPPid:\t" + std::to_string(parent) + "\n" + std::string(rss));
    std::string line = "/bin/holdfast " + verb + " --channel 3 --threads 2 /data/serving/" + model.key();
    std::replace(line.begin(), line.end(), ' ', '\0');
    put(*proc, pid + "/cmdline", line + '\0');
  }
  uint64_t free(uint64_t limit) {
    return make_machine_memory(*proc, *groups, limit, 100)->free_bytes().value();
  }
  void SetUp() override { put(*proc, "meminfo", "MemTotal:  2048 kB\nMemAvailable:    1048576 kB\n"); }
};

TEST_F(MachineMemoryTest, WorkersOfOneModelShareWhatTheyMapAndHaveTheirOwn) {
  worker("11", 100, "RssAnon:\t  1024 kB\nRssFile:\t  10240 kB\nRssShmem:\t 0 kB\n");
  worker("12", 100, "RssAnon:\t  2048 kB\nRssFile:\t  9216 kB\nRssShmem:\t 1024 kB\n");
  worker("13", 99, "RssAnon:\t  9999 kB\nRssFile:\t  99999 kB\n");             // Somebody else's.
  worker("14", 100, "RssAnon:\t  9999 kB\nRssFile:\t  99999 kB\n", "render");  // No worker.
  const auto room = make_machine_memory(*proc, *groups, 0, 100);
  const serve::WorkerMemory taken = room->taken_by(model);
  EXPECT_EQ(taken.workers, 2U);
  EXPECT_EQ(taken.own_bytes, 4 * mib);
  EXPECT_EQ(taken.mapped_bytes, 10 * mib);
  EXPECT_EQ(room->taken_by({8, "lab/m", model.commit}).workers, 0U);
  EXPECT_EQ(free(0), 1024 * mib);
  EXPECT_EQ(free(20 * mib), 6 * mib);
  EXPECT_EQ(free(5 * mib), 0U);
}

TEST_F(MachineMemoryTest, AControlGroupOrOneAboveItHasLess) {
  put(*proc, "self/cgroup", "0::/house/room\n");
  put(*groups, "house/room/memory.max", "max\n");
  put(*groups, "house/room/memory.current", "1\n");
  EXPECT_EQ(free(0), 1024 * mib);
  put(*groups, "house/memory.max", std::to_string(100 * mib) + "\n");
  put(*groups, "house/memory.current", std::to_string(90 * mib) + "\n");
  put(*groups, "house/memory.stat", "anon 5\ninactive_file " + std::to_string(40 * mib) + "\n");
  EXPECT_EQ(free(0), 50 * mib) << "what is only cached can be given up";
}

TEST(MachineMemory, OfThisMachineIsThere) {
  auto proc = std::move(io::open_posix_disk("/proc")).value();
  auto groups = io::make_memory_disk();
  EXPECT_GT(make_machine_memory(*proc, *groups, 0, ::getpid())->free_bytes().value(), mib);
}

}  // namespace
}  // namespace holdfast::app
