#include "git/history_walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "git/refs.h"
#include "git/test_world.h"
#include "git/tree_list.h"

namespace holdfast::git {
namespace {

const auto quiet = [](size_t) {};

TEST(History, HoldsWhatAnyCommitEverHadOnce) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId first =
      make_commit(repository, {}, {put(repository, "a", "1"), put(repository, "d/x", "same")});
  const ObjectId second = make_commit(repository, {first}, {put(repository, "a", "2")});
  const ObjectId third = make_commit(repository, {second}, {put(repository, "a", "1"), DeleteFile{"d/x"}});
  const ObjectId beside = make_commit(repository, {first}, {put(repository, "e/x", "same")});
  // Whichever is met first: all of them may be of one second.
  for (const auto& tips : {std::vector<ObjectId>{third, beside}, std::vector<ObjectId>{beside, third}})
    EXPECT_EQ(read_history(repository, tips, {}, quiet).value().commits.front(), first);
  const std::vector<ObjectId> tips{third, beside};
  const History history = read_history(repository, tips, {}, quiet).value();
  EXPECT_EQ(history.commits.size(), 4U);
  EXPECT_TRUE(history.gaps.empty());
  std::vector<std::string> found;
  for (const PastFile& file : history.files)
    found.push_back(file.path + " " + repository.read_blob(file.blob, 100).value());
  std::ranges::sort(found);
  EXPECT_EQ(found, (std::vector<std::string>{"a 1", "a 2", "d/x same", "e/x same"}));
}

TEST(History, TellsTheReadCommitsOfTheRealGit) {
  TestWorld world;
  const Repository repository = world.make();
  SeededRandom random(5);
  std::vector<ObjectId> tips;
  ObjectId head = make_commit(repository, {}, {put(repository, "start", "0")});
  for (int i = 0; i < 60; ++i) {
    const std::string path = fmt::format("{}/{}", random.below(4), random.below(6));
    const ObjectId next =
        make_commit(repository, {head}, {put(repository, path, std::to_string(random.below(9)))});
    if (random.below(5) == 0)
      tips.push_back(next);  // A branch; the next one starts where this one did.
    else
      head = next;
  }
  tips.push_back(head);
  for (size_t i = 0; i < tips.size(); ++i)
    ASSERT_TRUE(set_ref(repository, fmt::format("refs/heads/b{}", i), tips[i]).ok());
  // git's own list of every blob under every path that any reference reaches.
  std::vector<std::string> expected, found;
  for (const ObjectId& tip : tips) {
    const std::string commits = world.out({"rev-list", tip.hex()});
    for (size_t at = 0; at < commits.size(); at += 41) {
      const auto page = list_tree(repository, ObjectId::parse(commits.substr(at, 40)).value(),
                                  {.depth = Depth::all, .entries_max = 1000});
      for (const TreeEntry& entry : page.value().entries)
        if (!entry.is_folder()) expected.push_back(entry.path + " " + entry.id.hex());
    }
  }
  std::ranges::sort(expected);
  expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
  const History history = read_history(repository, tips, {}, quiet).value();
  for (const PastFile& file : history.files) {
    found.push_back(file.path + " " + file.blob.hex());
    EXPECT_EQ(find_entry(repository, file.commit, file.path).value()->id, file.blob)
        << "the named commit has it";
  }
  std::ranges::sort(found);
  EXPECT_EQ(found, expected);
}

TEST(History, SaysWhatItDidNotFollow) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId first = make_commit(repository, {}, {put(repository, "a", "1")});
  const ObjectId second = make_commit(repository, {first}, {put(repository, "b", "2")});
  const ObjectId blob = repository.write_blob(as_bytes("loose")).value();
  const std::vector<ObjectId> tips{second, blob, ObjectId::parse(std::string(40, 'a')).value()};
  const History all = read_history(repository, tips, {}, quiet).value();
  EXPECT_EQ(all.files.size(), 3U) << "a reference may name a blob";
  EXPECT_EQ(all.gaps, (std::vector<std::string>{std::string(40, 'a') + " is not here"}));
  EXPECT_FALSE(read_history(repository, tips, {.commits_max = 1}, quiet).value().gaps.empty());
  EXPECT_FALSE(read_history(repository, tips, {.files_max = 2}, quiet).value().gaps.empty());
}

}  // namespace
}  // namespace holdfast::git
