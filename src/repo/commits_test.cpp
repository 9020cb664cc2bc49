#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "git/refs.h"
#include "repo/hub_test_kit.h"
#include "repo/revisions.h"

namespace holdfast::repo {
namespace {

git::ObjectId head_of(TestHub& hub, const Repository& where, std::string_view ref = main_ref) {
  return *TestHub::require_value(hub.hub().publisher.ref(where.id, ref));
}

std::optional<FileEntry> file_at(TestHub& hub, const Repository& where, const std::string& path,
                                 std::string_view revision = "main") {
  const auto objects = TestHub::require_value(hub.hub().storage.open(where.id));
  const auto found = TestHub::require_value(find_revision(hub.hub().publisher, objects, where.id, revision));
  return TestHub::require_value(hub.hub().browser.find(where, objects, found.commit, path));
}

TEST(Commits, ANewRepositoryHasOneCommitWithAttributes) {
  TestHub hub;
  const Repository model = hub.create("ada", "ada/engine");
  EXPECT_TRUE(file_at(hub, model, ".gitattributes"));
  const Repository space = hub.create("ada", "ada/demo", Visibility::public_, RepoType::space);
  EXPECT_TRUE(file_at(hub, space, "README.md"));
  const auto on_disk = TestHub::require_value(hub.hub().storage.open(model.id));
  EXPECT_EQ(TestHub::require_value(git::read_ref(on_disk, main_ref)), head_of(hub, model));
}

TEST(Commits, AStaleParentIsRefusedWithTheClientsText) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  const std::string before = head_of(hub, model).hex();
  TestHub::require_value(hub.commit(ada, model, "a.txt", "one"));
  CommitTarget stale;
  stale.parent_commit = before;
  const auto refused = hub.commit(ada, model, "b.txt", "two", stale);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::stale_parent);
  EXPECT_EQ(refused.error().message,
            "The branch was updated since you opened this page. Please refresh and try again.");
  stale.parent_commit = head_of(hub, model).hex().substr(0, 7);
  EXPECT_TRUE(hub.commit(ada, model, "b.txt", "two", stale).ok());
}

TEST(Commits, ManyThreadsOnOneBranchAllSucceedOrHearThatItMoved) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  constexpr int count = 64;
  std::atomic<int> done{0}, stale{0}, other{0};
  std::vector<std::thread> threads;
  const std::string start = head_of(hub, model).hex();
  for (int i = 0; i < count; ++i)
    threads.emplace_back([&, i] {
      CommitTarget target;
      if (i % 4 == 0) target.parent_commit = start;
      const auto result = hub.commit(ada, model, "file" + std::to_string(i), std::to_string(i), target);
      if (result.ok())
        ++done;
      else if (result.error().reason == Reason::stale_parent)
        ++stale;
      else
        ++other;
    });
  for (std::thread& each : threads) each.join();
  EXPECT_EQ(other, 0);
  EXPECT_GE(done, count * 3 / 4);
  EXPECT_EQ(done + stale, count);
  const auto objects = TestHub::require_value(hub.hub().storage.open(model.id));
  const auto files = TestHub::require_value(hub.hub().browser.files(model, objects, head_of(hub, model)));
  EXPECT_EQ(files.size(), static_cast<size_t>(done) + 1);  // And .gitattributes.
  EXPECT_EQ(TestHub::require_value(git::read_ref(objects, main_ref)), head_of(hub, model));
}

TEST(Commits, ALargeFileMustHaveBeenUploadedByThisTokenOrBeReadable) {
  TestHub hub;
  const auto ada = hub.caller("ada"), bob = hub.caller("bob");
  const Repository hidden = hub.create("ada", "ada/secret", Visibility::private_);
  const Repository open_one = hub.create("bob", "bob/open");
  const content::FileInfo file = hub.store("the weights of a model");
  const auto put = [&](const identity::Caller& who, const Repository& where) {
    auto draft = TestHub::require_value(hub.hub().commits.begin(who, where));
    Status named = draft->put_large("model.bin", file.sha256, file.size);
    if (!named.ok()) return named;
    CommitTarget target;
    target.revision = "main";
    target.summary = "weights";
    const auto done = draft->finish(target);
    return done.ok() ? Status(Done{}) : Status(done.error());
  };
  EXPECT_EQ(put(ada, hidden).error().reason, Reason::object_missing) << "stored, but nobody's";
  TestHub::require(hub.hub().uploads.record_file(ada, file));
  EXPECT_TRUE(put(ada, hidden).ok());
  const Status strangers = put(bob, open_one);
  ASSERT_FALSE(strangers.ok());
  auto draft = TestHub::require_value(hub.hub().commits.begin(bob, open_one));
  content::Sha256Digest unknown = file.sha256;
  unknown[0] ^= std::byte{1};
  EXPECT_EQ(strangers.error().reason, draft->put_large("model.bin", unknown, {}).error().reason);
  TestHub::require(
      hub.hub().repositories.change(ada, hidden, {.visibility = Visibility::public_, .gate = std::nullopt}));
  EXPECT_TRUE(put(bob, open_one).ok()) << "what bob can read he may name";
  const auto entry = file_at(hub, open_one, "model.bin");
  ASSERT_TRUE(entry && entry->large);
  EXPECT_EQ(entry->size(), file.size);
}

TEST(Commits, AnotherTokenOfTheSameUserAndALateCommitMayNotNameAnUpload) {
  TestHub hub;
  const auto first = hub.caller("ada"), second = hub.caller("ada");
  const content::FileInfo file = hub.store("bytes of one session");
  TestHub::require(hub.hub().uploads.record_file(first, file));
  EXPECT_TRUE(hub.hub().uploads.may_name(first, file.sha256).ok());
  EXPECT_TRUE(hub.hub().uploads.may_name(first, file.hash).ok());
  EXPECT_FALSE(hub.hub().uploads.may_name(second, file.sha256).ok());
  EXPECT_TRUE(TestHub::require_value(hub.hub().uploads.is_live(file)));
  hub.clock().advance(Uploads::session_span + std::chrono::minutes(1));
  EXPECT_FALSE(hub.hub().uploads.may_name(first, file.sha256).ok());
  EXPECT_FALSE(TestHub::require_value(hub.hub().uploads.is_live(file)));
}

TEST(Commits, APointerWrittenByHandGivesNoRightToItsBytes) {
  TestHub hub;
  const Repository hidden = hub.create("ada", "ada/secret", Visibility::private_);
  const auto ada = hub.caller("ada"), bob = hub.caller("bob");
  const content::FileInfo file = hub.store("what only ada may read");
  TestHub::require(hub.hub().uploads.record_file(ada, file));
  auto draft = TestHub::require_value(hub.hub().commits.begin(ada, hidden));
  TestHub::require(draft->put_large("model.bin", file.sha256, file.size));
  CommitTarget target;
  target.revision = "main";
  target.summary = "weights";
  TestHub::require_value(draft->finish(target));
  const Repository own = hub.create("bob", "bob/copy");
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + content::to_text(file.sha256) + "\nsize " +
      std::to_string(file.size) + "\n";
  TestHub::require_value(hub.commit(bob, own, "model.bin", pointer));
  const auto entry = file_at(hub, own, "model.bin");
  ASSERT_TRUE(entry);
  EXPECT_FALSE(entry->large) << "shown as the text it is";
}

TEST(Commits, WhatAttributesTrackGoesToTheStoreWhicheverWayItCame) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  TestHub::require_value(hub.commit(ada, model, "weights.safetensors", "not really tensors"));
  const auto entry = file_at(hub, model, "weights.safetensors");
  ASSERT_TRUE(entry);
  EXPECT_TRUE(entry->large);
  TestHub::require_value(hub.commit(ada, model, "empty.bin", ""));
  EXPECT_FALSE(file_at(hub, model, "empty.bin")->large) << "git-lfs leaves empty files alone";
}

TEST(Commits, PreuploadDecidesByAttributesSizeAndSample) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  TestHub::require_value(hub.commit(ada, model, ".gitignore", "*.log\n"));
  TestHub::require_value(hub.commit(ada, model, "there.txt", "text"));
  struct Case {
    const char* why;
    const char* path;
    std::string sample;
    uint64_t size;
    UploadMode mode;
    bool ignore;
  };
  const std::vector<Case> cases = {
      {"small text", "a.txt", "hello", 5, UploadMode::regular, false},
      {"tracked by attributes", "a.bin", "hello", 5, UploadMode::large, false},
      {"empty though tracked", "b.bin", "", 0, UploadMode::regular, false},
      {"text over ten megabytes", "big.txt", "hello", 10'000'001, UploadMode::large, false},
      {"binary by its sample", "odd.dat", std::string("\0\1\2", 3), 3, UploadMode::large, false},
      {"ignored", "run.log", "x", 1, UploadMode::regular, true},
      {"there already", "there.txt", "text", 4, UploadMode::regular, false},
  };
  std::vector<PreuploadFile> files;
  for (const Case& each : cases) {
    const auto view = as_bytes(each.sample);
    files.push_back({.path = each.path, .sample = Bytes(view.begin(), view.end()), .size = each.size});
  }
  const auto answers =
      TestHub::require_value(hub.hub().commits.preupload(model, "main", files, std::nullopt));
  ASSERT_EQ(answers.size(), cases.size());
  for (size_t i = 0; i < cases.size(); ++i) {
    EXPECT_EQ(answers[i].mode, cases[i].mode) << cases[i].why;
    EXPECT_EQ(answers[i].ignore, cases[i].ignore) << cases[i].why;
  }
  EXPECT_EQ(answers.back().oid, git::blob_id(as_bytes("text")).hex());
  const auto unknown = hub.hub().commits.preupload(model, "nowhere", files, std::nullopt);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().reason, Reason::revision_not_found);
}

TEST(Commits, AStrangerMayOpenAPullRequestAndWriteOnlyToIt) {
  TestHub hub;
  const auto bob = hub.caller("bob", identity::TokenRole::read);
  const auto cleo = hub.caller("cleo"), ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  const auto direct = hub.commit(bob, model, "a.txt", "hello");
  ASSERT_FALSE(direct.ok());
  EXPECT_EQ(direct.error().reason, Reason::forbidden);
  CommitTarget pull;
  pull.as = CommitTarget::As::pull_request;
  const CommitDone done = TestHub::require_value(hub.commit(bob, model, "a.txt", "hello", pull));
  EXPECT_EQ(done.pull_request, 1);
  EXPECT_FALSE(file_at(hub, model, "a.txt"));
  EXPECT_TRUE(file_at(hub, model, "a.txt", "refs/pr/1"));
  CommitTarget more;
  more.revision = "refs/pr/1";
  EXPECT_TRUE(hub.commit(bob, model, "b.txt", "more", more).ok());
  EXPECT_FALSE(hub.commit(cleo, model, "c.txt", "not mine", more).ok());
  const auto refused = hub.hub().discussions.merge(bob, model, 1, "");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::forbidden);
  TestHub::require_value(hub.hub().discussions.merge(ada, model, 1, "thanks"));
  EXPECT_TRUE(file_at(hub, model, "b.txt"));
  EXPECT_EQ(TestHub::require_value(hub.hub().discussions.find(model.id, 1)).status, DiscussionStatus::merged);
  pull.revision = head_of(hub, model).hex();
  const auto on_commit = hub.commit(bob, model, "d.txt", "x", pull);
  ASSERT_FALSE(on_commit.ok());
  EXPECT_EQ(on_commit.error().reason, Reason::revision_not_found);
}

TEST(Commits, RefusesWhatCannotBeDone) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  auto draft = TestHub::require_value(hub.hub().commits.begin(ada, model));
  for (const char* path : {"../up", "a//b", "/root", ".git/config", "a\\b", ""})
    EXPECT_EQ(draft->put_file(path, as_bytes("x")).error().reason, Reason::bad_path) << path;
  EXPECT_EQ(draft->put_file("big", Bytes(regular_file_bytes_max + 1)).error().reason, Reason::body_too_large);
  TestHub::require(draft->delete_file("not there"));
  CommitTarget target;
  target.revision = "main";
  target.summary = "gone";
  const auto refused = draft->finish(target);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::entry_not_found);
  EXPECT_NE(refused.error().message.find("A file with this name doesn't exist"), std::string::npos);
  target.revision = "nowhere";
  auto other = TestHub::require_value(hub.hub().commits.begin(ada, model));
  EXPECT_EQ(other->finish(target).error().reason, Reason::revision_not_found);
}

TEST(Commits, ACommitThatChangesNothingIsTheHead) {
  TestHub hub;
  const auto ada = hub.caller("ada");
  const Repository model = hub.create("ada", "ada/engine");
  TestHub::require_value(hub.commit(ada, model, "a.txt", "one"));
  const git::ObjectId head = head_of(hub, model);
  EXPECT_EQ(TestHub::require_value(hub.commit(ada, model, "a.txt", "one")).commit, head);
}

}  // namespace
}  // namespace holdfast::repo
