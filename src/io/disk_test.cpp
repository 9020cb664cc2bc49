// What every Disk promises, tried on the real one and on the one in memory.
#include "io/disk.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <functional>

#include "base/random.h"
#include "io/memory_disk.h"
#include "io/temporary.h"
#include "io/temporary_folder.h"

namespace holdfast::io {
namespace {

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Disk>(const TemporaryFolder&)> make;
};

class EveryDisk : public testing::TestWithParam<Kind> {
 protected:
  TemporaryFolder folder_;
  std::unique_ptr<Disk> owned_ = GetParam().make(folder_);
  Disk& disk_ = *owned_;

  void write(const Path& path, std::string_view text) {
    auto file = disk_.create(path);
    ASSERT_TRUE(file.ok()) << file.error().message;
    ASSERT_TRUE(file.value()->append(as_bytes(text)).ok());
    ASSERT_TRUE(file.value()->sync().ok());
  }
};
INSTANTIATE_TEST_SUITE_P(
    Io, EveryDisk,
    testing::Values(Kind{"posix",
                         [](const TemporaryFolder& folder) {
                           return std::move(open_posix_disk(folder.path() / "data")).value();
                         }},
                    Kind{"memory", [](const TemporaryFolder&) { return make_memory_disk(); }}),
    [](const auto& kind) { return kind.param.name; });

TEST_P(EveryDisk, what_was_written_is_read) {
  write("a", "hello world");
  const auto file = disk_.open("a").value();
  EXPECT_EQ(file->size().value(), 11U);
  std::string text(5, '.');
  const auto into = std::as_writable_bytes(std::span(text));
  EXPECT_EQ(file->read_at(6, into).value(), 5U);
  EXPECT_EQ(text, "world");
  EXPECT_EQ(file->read_at(9, into).value(), 2U);
  EXPECT_EQ(file->read_at(11, into).value(), 0U);
  EXPECT_EQ(file->read_at(1000, into).value(), 0U);
  EXPECT_EQ(as_text(disk_.map("a").value()->bytes()), "hello world");
  EXPECT_EQ(disk_.stat("a").value().size, 11U);
}

TEST_P(EveryDisk, writing_in_the_middle_and_truncating) {
  write("a", "0123456789");
  const auto file = disk_.open_append("a").value();
  EXPECT_EQ(file->size(), 10U);
  ASSERT_TRUE(file->append(as_bytes("ab")).ok());
  ASSERT_TRUE(file->write_at(2, as_bytes("XY")).ok());
  EXPECT_EQ(file->size(), 12U);
  ASSERT_TRUE(file->write_at(14, as_bytes("z")).ok());
  EXPECT_EQ(read_text(disk_, "a", 100).value(), std::string("01XY456789ab\0\0z", 15));
  ASSERT_TRUE(file->truncate(4).ok());
  ASSERT_TRUE(file->append(as_bytes("!")).ok());
  EXPECT_EQ(read_text(disk_, "a", 100).value(), "01XY!");
}

TEST_P(EveryDisk, an_empty_file_is_a_file) {
  write("empty", "");
  EXPECT_EQ(read_text(disk_, "empty", 0).value(), "");
  EXPECT_TRUE(disk_.map("empty").value()->bytes().empty());
}

TEST_P(EveryDisk, errors_have_the_code_that_callers_react_to) {
  write("a", "x");
  ASSERT_TRUE(disk_.make_directories("d/e").ok());
  EXPECT_EQ(disk_.create("a").error().reason, Reason::already_exists);
  EXPECT_EQ(disk_.open("b").error().code, Code::not_found);
  EXPECT_EQ(disk_.create("missing/b").error().code, Code::not_found);
  EXPECT_EQ(disk_.open("a/b").error().code, Code::not_found);
  EXPECT_EQ(disk_.remove("b").error().code, Code::not_found);
  EXPECT_EQ(disk_.rename("b", "c").error().code, Code::not_found);
  EXPECT_EQ(disk_.list("b").error().code, Code::not_found);
  EXPECT_EQ(disk_.stat("b").error().code, Code::not_found);
  EXPECT_FALSE(disk_.make_directories("a/b").ok());
  EXPECT_FALSE(disk_.rename("d", "a").ok());
  EXPECT_FALSE(disk_.rename("a", "d").ok());
  EXPECT_FALSE(disk_.rename("d", "d/e/f").ok());
  EXPECT_EQ(read_text(disk_, "a", 0).error().code, Code::too_large);
  EXPECT_TRUE(disk_.remove_tree("nothing").ok());
}

TEST_P(EveryDisk, no_relative_path_leaves_the_root) {
  for (const char* path : {"..", "../a", "a/../../b", "a/b/../../../c", "/..", "/../etc"}) {
    EXPECT_EQ(disk_.open(path).error().reason, Reason::bad_request) << path;
    EXPECT_EQ(disk_.create(path).error().reason, Reason::bad_request) << path;
    EXPECT_EQ(disk_.remove_tree(path).error().reason, Reason::bad_request) << path;
    EXPECT_EQ(disk_.make_directories(path).error().reason, Reason::bad_request) << path;
  }
  EXPECT_EQ(disk_.open(std::string("a\0b", 3)).error().reason, Reason::bad_request);
  EXPECT_FALSE(disk_.remove_tree(".").ok());
  write("a", "x");
  EXPECT_TRUE(disk_.open("./b/../a").ok());
}

TEST_P(EveryDisk, messages_do_not_name_the_root) {
  EXPECT_EQ(disk_.open("sub/b").error().message, "cannot open 'sub/b': No such file or directory");
  const std::string secret = (folder_.path() / "b").string();
  EXPECT_EQ(disk_.open(secret).error().message, "cannot open 'b': No such file or directory");
}

TEST(PosixDisk, ThePathOfAPersonsFileIsNamedWhole) {
  const auto disk = open_posix_disk("/").value();
  EXPECT_EQ(disk->open("no-such-folder/b").error().message,
            "cannot open '/no-such-folder/b': No such file or directory");
}

TEST_P(EveryDisk, lists_are_sorted_by_bytes) {
  for (const char* name : {"b", "a", "Z", "a-", "aa"}) write(name, "1");
  ASSERT_TRUE(disk_.make_directories("dir").ok());
  std::string names;
  const std::vector<Entry> entries = disk_.list(".").value();
  for (const Entry& entry : entries) names += entry.name + (entry.is_directory ? "/ " : " ");
  EXPECT_EQ(names, "Z a a- aa b dir/ ");
}

TEST_P(EveryDisk, a_secret_is_the_owners_alone) {
  ASSERT_TRUE(disk_.make_directories("keys").ok());
  write("keys/a", "secret");
  EXPECT_TRUE(disk_.restrict_to_owner("keys").ok());
  EXPECT_TRUE(disk_.restrict_to_owner("keys/a").ok());
  EXPECT_EQ(disk_.restrict_to_owner("missing").error().code, Code::not_found);
  if (GetParam().name != "posix") return;
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(disk_.absolute("keys")).permissions(), perms::owner_all);
  EXPECT_EQ(std::filesystem::status(disk_.absolute("keys/a")).permissions(),
            perms::owner_read | perms::owner_write);
}

TEST_P(EveryDisk, folders_move_with_what_is_in_them) {
  ASSERT_TRUE(disk_.make_directories("repos/ada").ok());
  write("repos/ada/x", "1");
  ASSERT_TRUE(disk_.make_directories("trash").ok());
  ASSERT_TRUE(disk_.rename("repos/ada", "trash/ada").ok());
  EXPECT_EQ(read_text(disk_, "trash/ada/x", 10).value(), "1");
  EXPECT_EQ(disk_.list("repos").value().size(), 0U);
  ASSERT_TRUE(disk_.remove_tree("trash").ok());
  EXPECT_EQ(disk_.stat("trash").error().code, Code::not_found);
}

TEST_P(EveryDisk, published_text_replaces_and_leaves_nothing_beside_it) {
  ASSERT_TRUE(disk_.make_directories("keys").ok());
  ASSERT_TRUE(publish_text(disk_, "keys/instance", "one").ok());
  ASSERT_TRUE(publish_text(disk_, "keys/instance", "two").ok());
  EXPECT_EQ(read_text(disk_, "keys/instance", 10).value(), "two");
  EXPECT_EQ(disk_.list("keys").value().size(), 1U);
  ASSERT_TRUE(publish_text(disk_, "top", "t").ok());
  EXPECT_FALSE(publish_text(disk_, "missing/x", "t").ok());
}

TEST_P(EveryDisk, a_file_stays_readable_after_its_name_is_gone) {
  write("a", "kept");
  const auto file = disk_.open("a").value();
  ASSERT_TRUE(disk_.remove("a").ok());
  std::string text(4, '.');
  EXPECT_EQ(file->read_at(0, std::as_writable_bytes(std::span(text))).value(), 4U);
  EXPECT_EQ(text, "kept");
}

// One random operation, told as text: what it was, how it ended, what it showed.
std::string random_step(Disk& disk, Random& random) {
  static constexpr std::array<const char*, 9> paths = {"a",   "b",     "d",   "d/a",   "d/b",
                                                       "d/e", "d/e/a", "d/f", "d/../b"};
  const Path path = paths[random.below(paths.size())], other = paths[random.below(paths.size())];
  const uint64_t kind = random.below(9);
  const std::string text(random.below(40), static_cast<char>('a' + random.below(26)));
  const auto told = [&](const Status& outcome) {
    return fmt::format("{} {} {} {}", kind, path.string(), other.string(),
                       outcome.ok() ? "ok" : code_name(outcome.error().code));
  };
  const auto with_file = [&](Result<std::unique_ptr<WriteFile>> file) -> Status {
    TRY(const auto opened, std::move(file));
    TRY_DONE(opened->append(as_bytes(text)));
    if (text.size() % 3 == 0) TRY_DONE(opened->truncate(text.size() / 2));
    return opened->sync();
  };
  switch (kind) {
    case 0:
    case 1:
      return told(with_file(disk.create(path)));
    case 2:
      return told(with_file(disk.open_append(path)));
    case 3:
      return told(disk.rename(path, other));
    case 4:
      return told(disk.remove(path));
    case 5:
      return told(disk.make_directories(path));
    case 6:
      return told(random.below(4) == 0 ? disk.remove_tree(path) : Status(Done{}));
    case 7: {
      const auto got = read_text(disk, path, 1000);
      return fmt::format("read {} {}", path.string(), got.ok() ? got.value() : code_name(got.error().code));
    }
    default: {
      const auto entries = disk.list(path);
      if (!entries.ok()) return fmt::format("list {} {}", path.string(), code_name(entries.error().code));
      std::string names;
      for (const Entry& entry : entries.value())
        names += fmt::format(" {}{}{}", entry.name, entry.is_directory ? "/" : "=",
                             entry.is_directory ? 0 : entry.size);
      return fmt::format("list {}{}", path.string(), names);
    }
  }
}

TEST(Disks, memory_and_kernel_answer_alike_whatever_is_done) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    const TemporaryFolder folder;
    const auto real = std::move(open_posix_disk(folder.path())).value();
    const auto memory = make_memory_disk();
    SeededRandom dice(seed), same_dice(seed);
    for (int step = 0; step < 150; ++step)
      ASSERT_EQ(random_step(*real, dice), random_step(*memory, same_dice))
          << "seed " << seed << " step " << step;
  }
}

TEST(TemporaryName, is_recognised_and_never_the_same) {
  SystemRandom random;
  const std::string name = temporary_name(random, "config.json");
  EXPECT_TRUE(is_temporary_name(name)) << name;
  EXPECT_NE(name, temporary_name(random, "config.json"));
  EXPECT_FALSE(is_temporary_name("config.json"));
  EXPECT_FALSE(is_temporary_name("config.new-x"));
}

}  // namespace
}  // namespace holdfast::io
