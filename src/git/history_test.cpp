#include <gtest/gtest.h>

#include "base/random.h"
#include "git/commit_log.h"
#include "git/merge.h"
#include "git/refs.h"
#include "git/test_world.h"
#include "git/tree_diff.h"
#include "git/tree_list.h"

namespace holdfast::git {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::vector<std::string> walk_pages(const Repository& repository, const ObjectId& commit,
                                    ListOptions options) {
  std::vector<std::string> paths;
  while (true) {
    const auto page = list_tree(repository, commit, options);
    EXPECT_TRUE(page.ok()) << page.error().message;
    if (!page.ok()) return paths;
    for (const TreeEntry& entry : page.value().entries) paths.push_back(entry.path);
    if (!page.value().more) return paths;
    options.after = paths.back();
  }
}

TEST(ListTree, PagesOfAnySizeGiveGitsOrder) {
  TestWorld world;
  const Repository repository = world.make();
  std::vector<Change> changes;
  for (const char* path :
       {"a", "a.b/x", "a-/y", "a0", "b/c/d/e", "b/c/f", "b/c.x", "b/cc", "b.", "z/1", "z/2", "é"})
    changes.push_back(put(repository, path, path));
  const ObjectId commit = make_commit(repository, {}, changes);
  const auto expected_all =
      lines_of(world.out({"-c", "core.quotePath=false", "ls-tree", "-r", "-t", "--name-only", commit.hex()}));
  const auto expected_top =
      lines_of(world.out({"-c", "core.quotePath=false", "ls-tree", "--name-only", commit.hex()}));
  for (size_t size = 1; size <= expected_all.size() + 1; ++size) {
    EXPECT_EQ(walk_pages(repository, commit, {.depth = Depth::all, .entries_max = size}), expected_all)
        << size;
    EXPECT_EQ(walk_pages(repository, commit, {.entries_max = size}), expected_top) << size;
    EXPECT_EQ(walk_pages(repository, commit, {.folder = "b/c/", .depth = Depth::all, .entries_max = size}),
              (std::vector<std::string>{"b/c/d", "b/c/d/e", "b/c/f"}))
        << size;
  }
  const auto page = list_tree(repository, commit, {.folder = "b"}).value();
  EXPECT_EQ(page.entries[0].path, "b/c.x");
  EXPECT_EQ(page.entries[0].size, 5U);
  EXPECT_EQ(page.entries[0].id, blob_id(as_bytes("b/c.x")));
  EXPECT_TRUE(page.entries[1].is_folder());
  EXPECT_EQ(list_tree(repository, commit, {.folder = "a"}).error().reason, Reason::entry_not_found);
  EXPECT_EQ(list_tree(repository, commit, {.folder = "none"}).error().reason, Reason::entry_not_found);
  // A place that is not in this tree: the listing goes on after where it would be.
  EXPECT_EQ(list_tree(repository, commit, {.after = "a9"}).value().entries[0].path, "b.");
}

TEST(FindEntry, SeesFilesFoldersAndNothing) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId commit = make_commit(repository, {}, {put(repository, "d/f", "four")});
  EXPECT_EQ(find_entry(repository, commit, "d/f").value()->size, 4U);
  EXPECT_TRUE(find_entry(repository, commit, "d").value()->is_folder());
  EXPECT_TRUE(find_entry(repository, commit, "").value()->is_folder());
  for (const char* path : {"x", "d/x", "d/f/x", "/d", "..", "d/../d"})
    EXPECT_FALSE(find_entry(repository, commit, path).value()) << path;
  EXPECT_EQ(list_tree(repository, make_commit(repository, {}, {}), {}).value().entries.size(), 0U);
}

TEST(Log, PagesTheHistoryAndFindsByPrefix) {
  TestWorld world;
  const Repository repository = world.make();
  std::vector<ObjectId> made;
  for (int i = 0; i < 25; ++i)
    made.push_back(make_commit(repository, made.empty() ? std::vector<ObjectId>{} : std::vector{made.back()},
                               {put(repository, "f", std::to_string(i))}, "commit " + std::to_string(i)));
  const LogPage page = read_log(repository, made.back(), 20, 3).value();
  EXPECT_TRUE(page.more);
  ASSERT_EQ(page.commits.size(), 3U);
  EXPECT_EQ(page.commits[0].title(), "commit 4");
  EXPECT_FALSE(read_log(repository, made.back(), 20, 5).value().more);
  EXPECT_EQ(count_commits(repository, made.back(), 1000).value(), 25U);
  EXPECT_EQ(count_commits(repository, made.back(), 10).value(), 10U);
  EXPECT_EQ(repository.find_commit(made[7].hex().substr(0, 12)).value(), made[7]);
  EXPECT_EQ(repository.find_commit("ffffffffffff").error().reason, Reason::revision_not_found);
  EXPECT_EQ(repository.find_commit("xyz!").error().reason, Reason::revision_not_found);
  EXPECT_TRUE(is_ancestor(repository, made[3], made[9]).value());
  EXPECT_TRUE(is_ancestor(repository, made[3], made[3]).value());
  EXPECT_FALSE(is_ancestor(repository, made[9], made[3]).value());
}

TEST(LastChanges, AgreeWithGitLogOverBranchesAndMerges) {
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    SeededRandom random(seed);
    TestWorld world;
    const Repository repository = world.make();
    std::vector<ObjectId> tips{
        make_commit(repository, {},
                    {put(repository, "a", "0"), put(repository, "d/b", "0"), put(repository, "d/c", "0")})};
    int64_t seconds = 1'700'000'000;
    const std::vector<std::string> paths{"a", "d/b", "d/c", "d", "e"};
    for (int i = 0; i < 30; ++i) {
      seconds += 10;
      const ObjectId from = tips[random.below(tips.size())];
      const std::string path = std::vector<std::string>{"a", "d/b", "d/c", "e"}[random.below(4)];
      const ObjectId made = make_commit(repository, {from}, {put(repository, path, std::to_string(i))},
                                        std::to_string(i), seconds);
      if (random.below(4) == 0 && tips.size() < 3)
        tips.push_back(made);
      else
        tips[0] = made;
      if (random.below(5) == 0 && tips.size() > 1) {
        const auto merged = merge_trees(repository, tips[0], tips.back()).value();
        if (merged.conflicts.empty()) {
          seconds += 10;
          tips[0] = write_commit(repository, {.tree = merged.tree,
                                              .parents = {tips[0], tips.back()},
                                              .author = ada(seconds),
                                              .committer = ada(seconds),
                                              .message = "merge"})
                        .value();
          tips.pop_back();
        }
      }
    }
    const auto found = last_changes(repository, tips[0], paths).value();
    for (const std::string& path : paths) {
      const std::string git = world.out({"log", "-1", "--format=%H", tips[0].hex(), "--", path});
      const auto ours = found.find(path);
      EXPECT_EQ(ours == found.end() ? "" : ours->second.id.hex(), git) << "seed " << seed << " " << path;
    }
  }
}

TEST(Diff, ListsAndPrintsWhatChanged) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId first =
      make_commit(repository, {}, {put(repository, "a", "one\ntwo\n"), put(repository, "gone", "x\n")});
  const ObjectId second =
      make_commit(repository, {first},
                  {put(repository, "a", "one\n2\n"), DeleteFile{"gone"}, put(repository, "d/new", "n\n")});
  const DiffList list = diff_trees(repository, first, second).value();
  ASSERT_EQ(list.entries.size(), 3U);
  EXPECT_EQ(list.entries[0].kind, DiffKind::modified);
  EXPECT_EQ(list.entries[1].path, "d/new");
  EXPECT_EQ(list.entries[1].kind, DiffKind::added);
  EXPECT_TRUE(list.entries[1].before.zero());
  EXPECT_EQ(list.entries[2].kind, DiffKind::removed);
  EXPECT_TRUE(diff_trees(repository, first, second, 2).value().cut);
  EXPECT_EQ(diff_trees(repository, {}, first).value().entries.size(), 2U);
  EXPECT_EQ(diff_text(repository, first, second, 1 << 20).value(),
            world.git({"diff", first.hex(), second.hex()}).output);
  EXPECT_LE(diff_text(repository, first, second, 60).value().size(), 60U);
}

TEST(Merge, JoinsWhatDoesNotConflictAndNamesWhatDoes) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId base =
      make_commit(repository, {}, {put(repository, "t", "1\n2\n3\n4\n5\n"), put(repository, "u", "x\n")});
  const ObjectId ours = make_commit(repository, {base}, {put(repository, "t", "one\n2\n3\n4\n5\n")});
  const ObjectId theirs = make_commit(
      repository, {base}, {put(repository, "t", "1\n2\n3\n4\nfive\n"), put(repository, "n", "new\n")});
  EXPECT_EQ(merge_base(repository, ours, theirs).value(), base);
  const Merge merged = merge_trees(repository, ours, theirs).value();
  EXPECT_TRUE(merged.conflicts.empty());
  EXPECT_EQ(world.out({"show", merged.tree.hex() + ":t"}), "one\n2\n3\n4\nfive");
  const ObjectId other =
      make_commit(repository, {base}, {put(repository, "t", "uno\n2\n3\n4\n5\n"), DeleteFile{"u"}});
  const Merge conflict = merge_trees(repository, ours, other).value();
  EXPECT_TRUE(conflict.tree.zero());
  EXPECT_EQ(conflict.conflicts, std::vector<std::string>{"t"});
  const ObjectId unrelated = make_commit(repository, {}, {put(repository, "q", "q")});
  EXPECT_FALSE(merge_base(repository, ours, unrelated).value());
}

TEST(Refs, AreSetComparedDeletedAndProjected) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId one = make_commit(repository, {}, {put(repository, "a", "1")});
  const ObjectId two = make_commit(repository, {one}, {put(repository, "a", "2")});
  EXPECT_TRUE(set_ref(repository, "refs/heads/main", one, ObjectId()).ok());
  EXPECT_EQ(set_ref(repository, "refs/heads/main", two, ObjectId()).error().reason, Reason::stale_parent);
  EXPECT_EQ(set_ref(repository, "refs/heads/main", one, two).error().reason, Reason::stale_parent);
  EXPECT_TRUE(set_ref(repository, "refs/heads/main", two, one).ok());
  EXPECT_TRUE(set_ref(repository, "refs/heads/main", two).ok());
  EXPECT_EQ(world.out({"rev-parse", "main"}), two.hex());
  EXPECT_EQ(read_ref(repository, "refs/heads/main").value(), two);
  EXPECT_FALSE(read_ref(repository, "refs/heads/none").value());
  EXPECT_FALSE(set_ref(repository, "refs/heads/x", blob_id(as_bytes("absent"))).ok());
  EXPECT_FALSE(set_ref(repository, "refs/heads/main/x", one).ok());
  EXPECT_EQ(set_ref(repository, "refs/heads/gone", ObjectId(), one).error().reason, Reason::stale_parent);
  EXPECT_TRUE(set_ref(repository, "refs/heads/gone", ObjectId()).ok());

  const std::vector<Ref> truth{{"refs/heads/main/x", one}, {"refs/pr/1", two}, {"refs/tags/v1", one}};
  EXPECT_EQ(project_refs(repository, truth).value(), 4U);
  EXPECT_EQ(project_refs(repository, truth).value(), 0U);
  world.out({"pack-refs", "--all"});
  const auto refs = list_refs(repository).value();
  ASSERT_EQ(refs.size(), 3U);
  EXPECT_EQ(refs[1].name, "refs/pr/1");
  EXPECT_TRUE(set_ref(repository, "refs/pr/1", ObjectId(), two).ok());
  EXPECT_EQ(list_refs(Repository::open(repository.folder()).value()).value().size(), 2U);
}

}  // namespace
}  // namespace holdfast::git
