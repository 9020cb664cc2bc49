#include "repo/push_rules.h"

#include <gtest/gtest.h>

#include "git/commit_write.h"
#include "git/lfs_pointer.h"
#include "git/refs.h"
#include "repo/author.h"
#include "repo/hub_test_kit.h"

namespace holdfast::repo {
namespace {

// A push as the hooks would tell of it, its objects written straight into the repository.
class PushRulesTest : public testing::Test {
 protected:
  PushRulesTest()
      : repository_(hub_.create("ada", "ada/engine")),
        objects_(TestHub::require_value(hub_.hub().storage.open(repository_.id))) {}

  git::ObjectId head(std::string_view ref = main_ref) {
    return TestHub::require_value(hub_.hub().publisher.ref(repository_.id, ref)).value_or(git::ObjectId());
  }

  git::ObjectId blob(const std::string& text) {
    return TestHub::require_value(objects_.write_blob(as_bytes(text)));
  }
  git::ObjectId commit_on(const git::ObjectId& parent, const std::string& path,
                          const git::ObjectId& content) {
    const std::vector<git::Change> changes = {
        git::PutFile{.path = path, .blob = content, .kind = git::EntryKind::file}};
    const git::Signature author = signature_of(hub_.caller("ada"), hub_.clock());
    return TestHub::require_value(git::write_commit(
        objects_, {.tree = TestHub::require_value(git::edit_tree(objects_, parent, changes)),
                   .parents = {parent},
                   .author = author,
                   .committer = author,
                   .message = "pushed"}));
  }
  // Gate, then authority; the outcome of the one command.
  Status push(const identity::Caller& who, const git::RefCommand& command,
              const git::NewObjects& brought = {}) {
    const HubPusher pusher(who, repository_);
    const std::vector<git::RefCommand> commands = {command};
    const git::Push wish{.pusher = pusher, .repository = objects_, .commands = commands};
    TRY_DONE(hub_.hub().push_rules.check(wish, brought));
    TRY(auto outcomes, hub_.hub().push_rules.apply(wish, git::Atomic::no));
    return std::move(outcomes.front().status);
  }

  TestHub hub_;
  Repository repository_;
  git::Repository objects_;
};

TEST_F(PushRulesTest, OnlyWritersMoveBranches) {
  const git::ObjectId before = head(), after = commit_on(before, "a.txt", blob("one"));
  const git::RefCommand command{.ref = std::string(main_ref), .before = before, .after = after};
  for (const char* user : {"bob", "rea"}) {
    const Status refused = push(hub_.caller(user), command);
    ASSERT_FALSE(refused.ok()) << user;
    EXPECT_EQ(refused.error().reason, Reason::forbidden);
  }
  EXPECT_EQ(push(hub_.caller("ada", identity::TokenRole::read), command).error().reason, Reason::forbidden);
  TestHub::require(push(hub_.caller("ada"), command));
  EXPECT_EQ(head(), after);
  EXPECT_EQ(TestHub::require_value(git::read_ref(objects_, main_ref)), after);
  EXPECT_EQ(push(hub_.caller("ada"), command).error().reason, Reason::stale_parent);
}

TEST_F(PushRulesTest, PointersMustBeToBytesThePusherMayName) {
  const content::FileInfo file = hub_.store("weights pushed by git-lfs");
  const git::LfsPointer pointer{.sha256 = content::to_text(file.sha256), .size = file.size};
  const git::ObjectId pointer_blob = blob(git::format_lfs_pointer(pointer));
  const git::ObjectId before = head(), first = commit_on(before, "model.bin", pointer_blob),
                      second = commit_on(first, "model.bin", blob("replaced"));
  const git::RefCommand command{.ref = std::string(main_ref), .before = before, .after = second};
  const git::NewObjects brought{.pointers = {{pointer_blob, pointer}}};
  const auto ada = hub_.caller("ada");
  const Status refused = push(ada, command, brought);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().reason, Reason::object_missing);
  TestHub::require(hub_.hub().uploads.record_file(ada, file));
  TestHub::require(push(ada, command, brought));
  // The older commit of the push has its file too.
  const auto entry =
      TestHub::require_value(hub_.hub().browser.find(repository_, objects_, first, "model.bin"));
  ASSERT_TRUE(entry);
  EXPECT_TRUE(entry->large);
}

TEST_F(PushRulesTest, APullRequestIsPushedToByItsAuthorAndWriters) {
  const auto bob = hub_.caller("bob", identity::TokenRole::read);
  NewDiscussion wish;
  wish.title = "better";
  wish.kind = DiscussionKind::pull_request;
  TestHub::require_value(hub_.hub().discussions.open(bob, repository_, wish));
  const git::ObjectId after = commit_on(head(), "a.txt", blob("one"));
  const git::RefCommand command{.ref = "refs/pr/1", .before = head("refs/pr/1"), .after = after};
  EXPECT_FALSE(push(hub_.caller("rea"), command).ok());
  TestHub::require(push(bob, command));
  EXPECT_EQ(head("refs/pr/1"), after);
  EXPECT_FALSE(push(hub_.caller("ada"), {.ref = "refs/pr/2", .before = {}, .after = after}).ok())
      << "a number belongs to a discussion";
  EXPECT_FALSE(push(hub_.caller("ada"), {.ref = "refs/odd/x", .before = {}, .after = after}).ok());
}

}  // namespace
}  // namespace holdfast::repo
