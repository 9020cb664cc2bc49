#include <gtest/gtest.h>

#include <set>

#include "io/faulty_disk.h"
#include "io/memory_disk.h"

namespace holdfast::io {
namespace {

void write(Disk& disk, const Path& path, std::string_view text) {
  const auto file = disk.create(path).value();
  ASSERT_TRUE(file->append(as_bytes(text)).ok());
  ASSERT_TRUE(file->sync().ok());
}

TEST(MemoryDisk, a_crash_takes_names_that_were_not_synced) {
  auto disk = make_crashing_disk();
  write(*disk, "kept", "1");
  ASSERT_TRUE(disk->sync_directory(".").ok());
  write(*disk, "lost", "2");
  ASSERT_TRUE(disk->remove("kept").ok());
  disk->crash();
  EXPECT_EQ(read_text(*disk, "kept", 10).value(), "1");
  EXPECT_FALSE(disk->open("lost").ok());
}

TEST(MemoryDisk, a_crash_takes_bytes_that_were_not_synced) {
  auto disk = make_crashing_disk();
  {
    const auto file = disk->create("a").value();
    ASSERT_TRUE(file->append(as_bytes("one")).ok());
    ASSERT_TRUE(file->sync().ok());
    ASSERT_TRUE(file->append(as_bytes("two")).ok());
    ASSERT_TRUE(disk->sync_directory(".").ok());
  }
  disk->crash();
  EXPECT_EQ(read_text(*disk, "a", 10).value(), "one");
}

TEST(MemoryDisk, made_folders_survive) {
  auto disk = make_crashing_disk();
  ASSERT_TRUE(disk->make_directories("a/b/c").ok());
  disk->crash();
  EXPECT_TRUE(disk->list("a/b/c").ok());
}

TEST(MemoryDisk, a_rename_is_durable_with_its_folder) {
  auto disk = make_crashing_disk();
  write(*disk, "new", "2");
  ASSERT_TRUE(publish_text(*disk, "text", "1").ok());
  ASSERT_TRUE(disk->rename("new", "text").ok());
  disk->crash();
  EXPECT_EQ(read_text(*disk, "text", 10).value(), "1");
}

TEST(MemoryDisk, dice_leave_the_old_or_the_new_or_a_tear) {
  std::set<std::string> seen;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SeededRandom random(seed);
    auto disk = make_crashing_disk();
    ASSERT_TRUE(publish_text(*disk, "a", "oldold").ok());
    {
      const auto file = disk->open_append("a").value();
      ASSERT_TRUE(file->write_at(0, as_bytes("newnew")).ok());
    }
    disk->crash(random);
    seen.insert(read_text(*disk, "a", 10).value());
  }
  EXPECT_TRUE(seen.contains("oldold"));
  EXPECT_TRUE(seen.contains("newold"));
  EXPECT_TRUE(seen.contains("newnew"));
  EXPECT_LE(seen.size(), 7U);
}

// publish_text is the pattern every durable write follows, so it is tried with a fault at each of its steps,
// each followed by a crash.
TEST(FaultyDisk, published_text_is_old_or_new_whatever_fails) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    for (uint64_t step = 1; step <= 8; ++step) {
      SeededRandom random(seed);
      auto disk = make_crashing_disk();
      ASSERT_TRUE(publish_text(*disk, "key", "old").ok());
      auto faulty = make_faulty_disk(*disk, random, {.fail_at = step});
      const bool said_done = publish_text(*faulty, "key", "new").ok();
      disk->crash(random);
      const std::string left = read_text(*disk, "key", 10).value();
      EXPECT_TRUE(left == "new" || (left == "old" && !said_done))
          << "seed " << seed << " step " << step << left;
      EXPECT_EQ(said_done, step > 5) << step;
    }
  }
}

TEST(FaultyDisk, a_full_disk_takes_what_fits) {
  SeededRandom random(1);
  auto disk = make_crashing_disk();
  auto faulty = make_faulty_disk(*disk, random, {.full_after_bytes = 10});
  const auto file = faulty->create("a").value();
  EXPECT_TRUE(file->append(as_bytes("12345678")).ok());
  EXPECT_EQ(file->append(as_bytes("abcdef")).error().reason, Reason::disk_full);
  EXPECT_EQ(file->append(as_bytes("g")).error().reason, Reason::disk_full);
  EXPECT_EQ(read_text(*disk, "a", 100).value(), "12345678ab");
  faulty->set({});
  EXPECT_TRUE(file->append(as_bytes("!")).ok());
}

TEST(FaultyDisk, a_torn_write_leaves_a_part) {
  std::set<size_t> lengths;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SeededRandom random(seed);
    auto disk = make_crashing_disk();
    auto faulty = make_faulty_disk(*disk, random, {.tear_at_write = 2});
    const auto file = faulty->create("a").value();
    EXPECT_TRUE(file->append(as_bytes("ab")).ok());
    EXPECT_FALSE(file->append(as_bytes("cdef")).ok());
    lengths.insert(read_text(*disk, "a", 100).value().size());
    EXPECT_EQ(faulty->writes(), 2U);
  }
  EXPECT_EQ(lengths, (std::set<size_t>{2, 3, 4, 5, 6}));
}

TEST(FaultyDisk, lost_syncs_show_at_the_crash) {
  SeededRandom random(1);
  auto disk = make_crashing_disk();
  auto faulty = make_faulty_disk(*disk, random, {.syncs = Faults::Syncs::lost});
  ASSERT_TRUE(publish_text(*faulty, "a", "x").ok());
  EXPECT_EQ(read_text(*disk, "a", 10).value(), "x");
  disk->crash();
  EXPECT_FALSE(disk->open("a").ok());
}

TEST(FaultyDisk, one_in_n_fails_about_so_often) {
  SeededRandom random(3);
  auto disk = make_crashing_disk();
  auto faulty = make_faulty_disk(*disk, random, {.fail_one_in = 4});
  int failed = 0;
  for (int i = 0; i < 1000; ++i) failed += faulty->make_directories("d").ok() ? 0 : 1;
  EXPECT_NEAR(failed, 250, 60);
  EXPECT_EQ(faulty->operations(), 1000U);
}

}  // namespace
}  // namespace holdfast::io
