// Backups and restores whose source, target or disk goes away in the middle.
#include "repo/backup.h"

#include "base/data_layout.h"
#include "io/faulty_disk.h"
#include "io/temporary_folder.h"
#include "repo/hub_test_kit.h"

namespace holdfast::repo {
namespace {

namespace fs = std::filesystem;

class BackupTest : public testing::Test {
 protected:
  void SetUp() override {
    if (io::test_wish("HOLDFAST_TEST_ENGINE") == "postgresql")
      GTEST_SKIP() << "PostgreSQL is copied by its own tools";
    ada_ = hub_.caller("ada");
    model_ = hub_.create("ada", "ada/model");
    for (const char* path : {"a.txt", "b.txt"})
      TestHub::require_value(hub_.commit(ada_, model_, path, std::string(2000, *path)));
    for (int i = 0; i < 3; ++i)
      hub_.store(std::string(300'000, static_cast<char>('a' + i)) + std::to_string(i));
    TestHub::require(hub_.disk().make_directories(data_layout::keys));
    TestHub::require(io::publish_text(hub_.disk(), data_layout::instance_key, "a secret"));
  }

  Result<CopyProgress> back_up(const EachCopied& each = {}) {
    const auto with_copied_store = [this](const std::string& url,
                                          const std::function<Status(content::Store&)>& use) -> Status {
      TRY(auto database, sql::open_database(url));
      TRY(auto store, content::open_store({}, hub_.disk(), *database, hub_.clock(), hub_.random(), hub_.log(),
                                          hub_.metrics()));
      return use(*store);
    };
    return repo::back_up({hub_.disk(), hub_.database(), hub_.content(), with_copied_store}, *target_,
                         hub_.clock(), each);
  }
  // Calls `disturb` once, when the first file of content/ has been copied.
  Result<CopyProgress> back_up_disturbed(const std::function<void()>& disturb) {
    return back_up([&, done = false](const CopyProgress& so_far) mutable {
      if (done || so_far.files < 3) return;
      done = true;
      disturb();
    });
  }
  void expect_no_backup() {
    EXPECT_FALSE(verify_backup(*target_, {}).ok());
    EXPECT_FALSE(fs::exists(target_folder_.path() / "backup" / "manifest.jsonl"));
  }
  std::vector<fs::path> xorbs() {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(hub_.disk().absolute("content/xorbs")))
      if (entry.is_regular_file()) found.push_back(entry.path());
    return found;
  }
  static size_t entries(io::Disk& disk) { return TestHub::require_value(disk.list(".")).size(); }

  TestHub hub_;
  identity::Caller ada_;
  Repository model_;
  io::TemporaryFolder target_folder_;
  std::unique_ptr<io::Disk> target_ =
      std::move(io::open_posix_disk(target_folder_.path() / "backup")).value();
};

TEST_F(BackupTest, IsReadBackAsItWas) {
  const CopyProgress copied = TestHub::require_value(back_up());
  EXPECT_EQ(TestHub::require_value(verify_backup(*target_, {})).bytes, copied.bytes);
  const auto restored = io::make_memory_disk();
  EXPECT_EQ(TestHub::require_value(restore(*target_, *restored, {}, [] { return Status(Done{}); })).files,
            copied.files);
  EXPECT_FALSE(restored->stat(data_layout::restoring).ok());
}

TEST_F(BackupTest, BytesThatAreGoneBeforeOrMeanwhileAreAnError) {
  const auto all = xorbs();
  ASSERT_GE(all.size(), 3);
  const auto outcome = back_up_disturbed([&] {
    for (const fs::path& xorb : all) fs::remove(xorb);
  });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, Reason::data_corrupt);
  EXPECT_NE(outcome.error().message.find("content/xorbs/"), std::string::npos) << outcome.error().message;
  expect_no_backup();
  EXPECT_EQ(back_up().error().reason, Reason::data_corrupt);
  EXPECT_EQ(entries(*target_), 0) << "the folder can be used again";
}

TEST_F(BackupTest, ARepositoryThatGoesMeanwhileIsAnError) {
  const auto deleted =
      back_up_disturbed([&] { TestHub::require(hub_.hub().repositories.remove(ada_, model_)); });
  ASSERT_FALSE(deleted.ok());
  EXPECT_EQ(deleted.error().code, Code::busy) << deleted.error().message;
  expect_no_backup();
  const Repository other = hub_.create("ada", "ada/other");
  const auto lost = back_up_disturbed([&] { fs::remove_all(hub_.hub().storage.folder(other.id)); });
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().reason, Reason::data_corrupt) << lost.error().message;
  expect_no_backup();
}

TEST_F(BackupTest, ATargetThatGoesMeanwhileIsAnError) {
  const auto part = back_up_disturbed([&] { fs::remove_all(target_folder_.path() / "backup" / "content"); });
  ASSERT_FALSE(part.ok());
  EXPECT_NE(part.error().message.find("backup folder"), std::string::npos) << part.error().message;
  expect_no_backup();
  const auto whole = back_up_disturbed([&] { fs::remove_all(target_folder_.path() / "backup"); });
  ASSERT_FALSE(whole.ok());
  expect_no_backup();
}

TEST_F(BackupTest, DeletionIsHeldNoLongerThanTheBackupTakes) {
  ASSERT_FALSE(back_up_disturbed([&] { fs::remove_all(target_folder_.path() / "backup"); }).ok());
  EXPECT_TRUE(hub_.content().collect({}, [](const content::FileInfo&) { return false; }).ok());
}

TEST_F(BackupTest, ARestoreOntoAFullDiskLeavesNothing) {
  const CopyProgress copied = TestHub::require_value(back_up());
  const auto below = io::make_memory_disk();
  SeededRandom random(1);
  const auto disk = io::make_faulty_disk(*below, random);
  const auto finish = [] { return Status(Done{}); };
  for (uint64_t room = 0; room < copied.bytes; room += copied.bytes / 40 + 1) {
    disk->set({.full_after_bytes = room});
    const auto outcome = restore(*target_, *disk, {}, finish);
    ASSERT_FALSE(outcome.ok()) << room;
    EXPECT_EQ(outcome.error().reason, Reason::disk_full) << outcome.error().message;
    EXPECT_EQ(entries(*below), 0) << room;
  }
  disk->set({});
  EXPECT_TRUE(restore(*target_, *disk, {}, finish).ok()) << "there is room now";
}

TEST_F(BackupTest, ARestoreThatFailsAnywhereLeavesNothingToOpen) {
  TestHub::require_value(back_up());
  SeededRandom random(2);
  for (uint64_t fault = 1;; ++fault) {
    const auto below = io::make_memory_disk();
    const auto disk = io::make_faulty_disk(*below, random, {.fail_at = fault});
    const auto outcome = restore(*target_, *disk, {}, [] { return Status(Done{}); });
    if (outcome.ok()) break;
    EXPECT_TRUE(entries(*below) == 0 || below->stat(data_layout::restoring).ok()) << "operation " << fault;
    ASSERT_LT(fault, 10'000);
    fault += fault / 20;
  }
}

TEST_F(BackupTest, AnInterruptedRestoreIsMarkedAndDoneAgain) {
  TestHub::require_value(back_up());
  const auto disk = io::make_memory_disk();
  EXPECT_FALSE(restore(*target_, *disk, {}, [&]() -> Status {
                 EXPECT_TRUE(disk->stat(data_layout::restoring).ok()) << "not opened before all is there";
                 return fail(Code::internal, "the references could not be laid");
               }).ok());
  EXPECT_EQ(entries(*disk), 0);
  // As a kill leaves it.
  TestHub::require(io::publish_text(*disk, data_layout::restoring, ""));
  TestHub::require(io::publish_text(*disk, data_layout::database, "half"));
  EXPECT_TRUE(restore(*target_, *disk, {}, [] { return Status(Done{}); }).ok());
  EXPECT_FALSE(disk->stat(data_layout::restoring).ok());
  EXPECT_EQ(restore(*target_, *disk, {}, [] { return Status(Done{}); }).error().reason,
            Reason::already_exists);
}

}  // namespace
}  // namespace holdfast::repo
