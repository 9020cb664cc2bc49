#include "git/tips_view.h"

#include <gtest/gtest.h>

#include "git/pkt_line.h"
#include "git/test_world.h"

namespace holdfast::git {
namespace {

class TipsView : public testing::Test {
 protected:
  TipsView() {
    const Repository repository = world.make();
    first = make_commit(repository, {}, {put(repository, "a", "1")});
    approved = make_commit(repository, {first}, {put(repository, "b", "2")});
    later = make_commit(repository, {approved}, {put(repository, "c", "3")});
  }

  TestWorld world;
  ObjectId first, approved, later;
};

TEST_F(TipsView, ACloneHasTheCommitAndNothingBeforeOrAfterIt) {
  const auto disk = io::open_posix_disk(world.folder()).value();
  const std::vector<NamedCommit> commits = {{"refs/heads/main", approved}, {"refs/tags/release-1", approved}};
  const auto view = ensure_tips_view(*disk, "views", world.folder() / "bare.git", commits);
  ASSERT_TRUE(view.ok()) << view.error().message;
  EXPECT_EQ(ensure_tips_view(*disk, "views", world.folder() / "bare.git", commits).value(), view.value());
  world.out({"-c", "protocol.version=0", "clone", "-q", "file://" + view.value().string(), "clone"}, "", ".");
  EXPECT_EQ(world.out({"rev-list", "--all"}, "", "clone"), approved.hex());
  EXPECT_EQ(world.out({"tag"}, "", "clone"), "release-1");
  EXPECT_EQ(world.out({"ls-files"}, "", "clone"), "a\nb");
  EXPECT_FALSE(world.git({"cat-file", "-e", first.hex()}, "", "clone").exit.clean());
  EXPECT_FALSE(world.git({"cat-file", "-e", later.hex()}, "", "clone").exit.clean());
  world.git({"-c", "protocol.version=0", "fetch", "-q", "--unshallow"}, "", "clone");
  EXPECT_EQ(world.out({"rev-list", "--all"}, "", "clone"), approved.hex());
}

TEST_F(TipsView, NothingElseMayBeWanted) {
  const std::vector<NamedCommit> commits = {{"refs/heads/main", approved}};
  const auto wants = [](const ObjectId& id) { return format_pkt("want " + id.hex() + " ofs-delta\n"); };
  const std::string tail = std::string(flush_pkt) + format_pkt("done\n");
  const auto outcome = [&](const std::string& body) { return check_wants(as_bytes(body), commits); };
  EXPECT_TRUE(outcome(wants(approved) + tail).ok());
  EXPECT_TRUE(outcome(wants(approved) + format_pkt("have " + first.hex() + "\n") + tail).ok());
  EXPECT_EQ(outcome(wants(later) + tail).error().reason, Reason::policy_refused);
  EXPECT_EQ(outcome(wants(approved) + wants(first) + tail).error().reason, Reason::policy_refused);
  EXPECT_FALSE(outcome(format_pkt("command=fetch") + "0001" + wants(approved)).ok()) << "version 2";
  EXPECT_FALSE(outcome(wants(approved).substr(0, 30)).ok());
}

}  // namespace
}  // namespace holdfast::git
