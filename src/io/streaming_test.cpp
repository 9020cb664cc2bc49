#include "io/streaming.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "io/memory_disk.h"
#include "io/temporary_folder.h"

namespace holdfast::io {
namespace {

// The kernel's way past the cache, the ordinary way, and where one turns into the other.
TEST(Streaming, a_file_is_what_was_appended_whatever_its_size) {
  TemporaryFolder folder;
  const auto posix = open_posix_disk(folder.path()).value();
  const auto memory = make_memory_disk();
  SeededRandom random(1);
  for (Disk* disk : {posix.get(), memory.get()}) {
    for (const size_t size : {0, 1, 4095, 1 << 20, (1 << 20) + 1, 3'000'000, 9'437'184, 9'437'999}) {
      Bytes bytes(static_cast<size_t>(size));
      random.fill(bytes);
      const Path path = "f" + std::to_string(size);
      const auto file = create_streaming(*disk, path).value();
      for (ByteView rest = bytes; !rest.empty();) {
        const size_t now = std::min<size_t>(rest.size(), 1 + random.below(400'000));
        ASSERT_TRUE(file->append(rest.first(now)).ok());
        rest = rest.subspan(now);
        ASSERT_EQ(file->size(), bytes.size() - rest.size());
      }
      ASSERT_TRUE(file->sync().ok());
      EXPECT_EQ(file->size(), bytes.size());
      EXPECT_TRUE(read_text(*disk, path, 1 << 24).value() == as_text(bytes)) << size;
      EXPECT_FALSE(create_streaming(*disk, path).ok()) << "it exists";
      const auto reader = open_streaming(*disk, path).value();
      Bytes back(bytes.size() + 10);
      EXPECT_EQ(reader->read_at(0, back).value(), bytes.size());
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), back.begin())) << size;
      for (int round = 0; round < 20 && !bytes.empty(); ++round) {
        const size_t at = random.below(bytes.size()),
                     count = std::min<size_t>(random.below(70'000), bytes.size() - at);
        ASSERT_EQ(reader->read_at(at, std::span(back).first(count)).value(), count);
        ASSERT_TRUE(std::equal(back.begin(), back.begin() + count, bytes.begin() + at));
      }
      EXPECT_EQ(reader->read_at(bytes.size(), back).value(), 0U);
    }
  }
}

TEST(Streaming, a_file_can_be_cut_and_continued) {
  TemporaryFolder folder;
  const auto disk = open_posix_disk(folder.path()).value();
  SeededRandom random(2);
  Bytes bytes(5'000'000);
  random.fill(bytes);
  const auto file = create_streaming(*disk, "f").value();
  ASSERT_TRUE(file->append(bytes).ok());
  ASSERT_TRUE(file->truncate(4'321'000).ok());
  ASSERT_TRUE(file->append(as_bytes("more")).ok());
  ASSERT_TRUE(file->write_at(0, as_bytes("X")).ok());
  ASSERT_TRUE(file->sync().ok());
  bytes.resize(4'321'000);
  bytes[0] = std::byte{'X'};
  EXPECT_EQ(file->size(), 4'321'004U);
  EXPECT_TRUE(read_text(*disk, "f", 1 << 24).value() == std::string(as_text(bytes)) + "more");
}

TEST(Streaming, a_file_may_be_left_half_written) {
  TemporaryFolder folder;
  const auto disk = open_posix_disk(folder.path()).value();
  for (int round = 0; round < 5; ++round) {
    const auto file = create_streaming(*disk, "f" + std::to_string(round)).value();
    ASSERT_TRUE(file->append(Bytes(static_cast<size_t>(round) * 1'700'000)).ok());
  }
}

}  // namespace
}  // namespace holdfast::io
