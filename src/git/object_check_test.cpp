#include "git/object_check.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "git/repository.h"
#include "io/temporary_folder.h"

namespace holdfast::git {
namespace {

TEST(CheckObjects, is_silent_on_a_sound_repository_and_names_a_damaged_object) {
  const SystemClock clock;
  io::TemporaryFolder folder;
  const io::Path path = folder.path() / "a.git";
  auto repository = Repository::init(path);
  ASSERT_TRUE(repository.ok()) << repository.error().message;
  const auto blob =
      repository.value().write_blob(as_bytes("some text that compresses to more than a few bytes"));
  ASSERT_TRUE(blob.ok());
  auto sound = check_objects(path, "/usr/bin/git", clock);
  ASSERT_TRUE(sound.ok()) << sound.error().message;
  EXPECT_TRUE(sound.value().empty()) << sound.value().front();

  io::Path object;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path / "objects"))
    if (entry.is_regular_file()) object = entry.path();
  ASSERT_FALSE(object.empty());
  std::filesystem::permissions(object, std::filesystem::perms::owner_all);
  std::fstream file(object, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(20);
  file.put('\xff');
  file.close();
  const auto damaged = check_objects(path, "/usr/bin/git", clock);
  ASSERT_TRUE(damaged.ok());
  EXPECT_FALSE(damaged.value().empty());
}

}  // namespace
}  // namespace holdfast::git
