// A server killed between taking a reference's lock file and renaming it left refs/heads/main.lock behind.
// The next start could not project the reference ("it changed meanwhile") and did not come up at all.
#include <gtest/gtest.h>

#include <fstream>

#include "git/refs.h"
#include "git/repository.h"
#include "git/stale_locks.h"
#include "io/temporary_folder.h"

namespace holdfast::git {
namespace {

TEST(StaleLocks, of_a_killed_writer_are_removed_and_nothing_else) {
  io::TemporaryFolder folder;
  const io::Path path = folder.path() / "a.git";
  ASSERT_TRUE(Repository::init(path).ok());
  std::filesystem::create_directories(path / "refs/heads/feature");
  std::ofstream(path / "refs/heads/main.lock") << "half a hash";
  std::ofstream(path / "refs/heads/feature/x.lock") << "";
  std::ofstream(path / "HEAD.lock") << "";
  EXPECT_EQ(remove_stale_locks(path).value(), 3U);
  EXPECT_EQ(remove_stale_locks(path).value(), 0U);
  EXPECT_TRUE(std::filesystem::exists(path / "HEAD"));
  EXPECT_TRUE(Repository::open(path).ok());
}

TEST(StaleObjects, of_killed_pushes_are_removed_and_nothing_else) {
  io::TemporaryFolder folder;
  const io::Path path = folder.path() / "a.git";
  const Repository repository = Repository::init(path).value();
  const ObjectId kept = repository.write_blob(as_bytes("kept")).value();
  std::filesystem::create_directories(path / "objects/tmp_objdir-incoming-abc/pack");
  std::ofstream(path / "objects/tmp_objdir-incoming-abc/pack/tmp_pack_x") << "half a pack";
  std::ofstream(path / "objects/pack/pack_git2_0123") << "half a pack";
  std::ofstream(path / "objects/tmp_object_git2_0123") << "half an object";
  EXPECT_EQ(remove_stale_objects(path).value(), 3U);
  EXPECT_EQ(remove_stale_objects(path).value(), 0U);
  EXPECT_EQ(Repository::open(path).value().read_blob(kept, 10).value(), "kept");
}

}  // namespace
}  // namespace holdfast::git
