#include "git/commit_write.h"

#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "git/path_rules.h"
#include "git/refs.h"
#include "git/test_world.h"

namespace holdfast::git {
namespace {

TEST(Repository, IsBareOnMainAndKnowsItself) {
  TestWorld world;
  const Repository repository = world.make();
  EXPECT_EQ(world.out({"symbolic-ref", "HEAD"}), "refs/heads/main");
  EXPECT_EQ(world.out({"rev-parse", "--is-bare-repository"}), "true");
  EXPECT_EQ(world.out({"config", "gc.auto"}), "0");
  EXPECT_EQ(Repository::init(world.folder() / "bare.git").error().reason, Reason::already_exists);
  EXPECT_TRUE(Repository::open(world.folder() / "bare.git").ok());
  EXPECT_EQ(Repository::open(world.folder() / "other.git").error().reason, Reason::repo_not_found);
}

TEST(Repository, BlobsAreNamedAndReadAsGitDoes) {
  TestWorld world;
  const Repository repository = world.make();
  for (const std::string& text :
       {std::string(), std::string("hello\n"), std::string("a\0b", 3), std::string(3 << 20, 'x')}) {
    const ObjectId id = put_blob(repository, text);
    EXPECT_EQ(id, blob_id(as_bytes(text)));
    EXPECT_EQ(id.hex(), world.out({"hash-object", "--stdin"}, text));
    EXPECT_EQ(repository.read_blob(id, 4 << 20).value(), text);
    EXPECT_EQ(repository.head_of(id).value().size, text.size());
  }
  const ObjectId large = put_blob(repository, std::string(100, 'y'));
  EXPECT_EQ(repository.read_blob(large, 99).error().code, Code::too_large);
  EXPECT_EQ(repository.read_blob(blob_id(as_bytes("absent")), 99).error().code, Code::not_found);
  EXPECT_FALSE(repository.has(blob_id(as_bytes("absent"))));
  EXPECT_TRUE(repository.has(large));
}

TEST(WriteCommit, IsByteForByteWhatGitWrites) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId first = make_commit(
      repository, {},
      {put(repository, "a.txt", "1"), put(repository, "a/b/c.bin", "2"), put(repository, "a-b", "3"),
       put(repository, "ä/ö", "4"),
       PutFile{.path = "run.sh", .blob = put_blob(repository, "5"), .kind = EntryKind::executable},
       PutFile{.path = "link", .blob = put_blob(repository, "a.txt"), .kind = EntryKind::symlink}},
      "First\n\nwith a body");
  ASSERT_TRUE(set_ref(repository, "refs/heads/main", first).ok());

  world.write("work/a.txt", "1");
  world.write("work/a/b/c.bin", "2");
  world.write("work/a-b", "3");
  world.write("work/ä/ö", "4");
  world.write("work/run.sh", "5");
  std::filesystem::permissions(world.folder() / "work/run.sh", std::filesystem::perms::owner_all);
  std::filesystem::create_symlink("a.txt", world.folder() / "work/link");
  world.out({"init", "-q", "-b", "main"}, "", "work");
  world.out({"add", "-A"}, "", "work");
  world.out({"commit", "-q", "-m", "First", "-m", "with a body"}, "", "work");
  EXPECT_EQ(world.out({"rev-parse", "HEAD"}, "", "work"), first.hex());
  EXPECT_EQ(world.git({"fsck", "--strict", "--full"}).errors, "");

  const Commit read = repository.commit(first).value();
  EXPECT_EQ(read.title(), "First");
  EXPECT_EQ(read.body(), "with a body");
  EXPECT_EQ(read.author.name, "Ada");
  EXPECT_EQ(read.author.time, ada().time);
}

TEST(WriteCommit, NamesThatWouldBreakACommitAreCleaned) {
  TestWorld world;
  const Repository repository = world.make();
  for (const char* name : {"", "<>", "Eve <eve@x>\nparent 0", "  .,;", "\x01\x7f", "Zoë"}) {
    Signature who = ada();
    who.name = name;
    who.email = name;
    who.offset_minutes = 5000;
    const auto commit = write_commit(
        repository,
        {.tree = edit_tree(repository, {}, {}).value(), .author = who, .committer = who, .message = "m"});
    ASSERT_TRUE(commit.ok()) << name << ": " << commit.error().message;
    ASSERT_TRUE(set_ref(repository, "refs/heads/main", commit.value()).ok());
    const auto fsck = world.git({"fsck", "--strict", "--full"});
    EXPECT_TRUE(fsck.exit.clean()) << name << fsck.errors;
    EXPECT_EQ(fsck.errors, "") << name;
  }
  const NewCommit nul{.tree = edit_tree(repository, {}, {}).value(),
                      .author = ada(),
                      .committer = ada(),
                      .message = std::string("a\0b", 3)};
  EXPECT_EQ(write_commit(repository, nul).error().reason, Reason::bad_request);
  NewCommit absent = nul;
  absent.message = "m";
  absent.parents = {blob_id(as_bytes("absent"))};
  EXPECT_FALSE(write_commit(repository, absent).ok());
}

TEST(EditTree, StepsApplyInOrderWithDefinedConflicts) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId base = make_commit(
      repository, {}, {put(repository, "d/x", "1"), put(repository, "d/y", "2"), put(repository, "f", "3")});
  const auto listing = [&](std::vector<Change> changes) {
    const auto tree = edit_tree(repository, base, changes);
    return tree.ok() ? world.out({"ls-tree", "-r", "--name-only", tree.value().hex()}) : tree.error().message;
  };
  EXPECT_EQ(listing({}), "d/x\nd/y\nf");
  EXPECT_EQ(listing({put(repository, "d", "file")}), "d\nf");
  EXPECT_EQ(listing({put(repository, "f/below", "x")}), "d/x\nd/y\nf/below");
  EXPECT_EQ(listing({DeleteFile{"d/x"}}), "d/y\nf");
  EXPECT_EQ(listing({DeleteFile{"d/x"}, DeleteFile{"d/y"}}), "f");
  EXPECT_EQ(listing({DeleteFolder{"d/"}}), "f");
  EXPECT_EQ(listing({DeleteFolder{"d"}, DeleteFile{"f"}}), "");
  EXPECT_EQ(listing({DeleteFile{"f"}, put(repository, "f", "again")}), "d/x\nd/y\nf");
  EXPECT_EQ(listing({CopyEntry{.from = "d", .to = "e/deep"}}), "d/x\nd/y\ne/deep/x\ne/deep/y\nf");
  EXPECT_EQ(listing({put(repository, "d/z", "new"), CopyEntry{.from = "d", .to = "e"}, DeleteFolder{"d"}}),
            "e/x\ne/y\ne/z\nf");
  EXPECT_EQ(listing({DeleteFolder{"d"}, CopyEntry{.from = "d/y", .to = "y", .source = base}}), "f\ny");
}

TEST(EditTree, RefusesWhatIsNotThere) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId base = make_commit(repository, {}, {put(repository, "d/x", "1")});
  const Change cases[] = {DeleteFile{"d"},
                          DeleteFile{"d/z"},
                          DeleteFile{"d/x/y"},
                          DeleteFolder{"d/x"},
                          DeleteFolder{"e"},
                          CopyEntry{.from = "no", .to = "e"},
                          CopyEntry{.from = "no", .to = "e", .source = base}};
  for (const Change& change : cases)
    EXPECT_EQ(edit_tree(repository, base, std::span(&change, 1)).error().reason, Reason::entry_not_found)
        << change.index();
  const Change absent[] = {PutFile{.path = "a", .blob = blob_id(as_bytes("absent"))}};
  EXPECT_EQ(edit_tree(repository, base, absent).error().code, Code::not_found);
  const Change evil[] = {put(repository, "a/.GIT/config", "x")};
  EXPECT_EQ(edit_tree(repository, base, evil).error().reason, Reason::bad_request);
}

// Random edits, with a plain map from path to text as the twin and git as the referee of every tree.
TEST(EditTree, RandomEditsMatchAPlainMapAndGit) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SeededRandom random(seed);
    TestWorld world;
    const Repository repository = world.make();
    std::map<std::string, std::string> twin;
    ObjectId head;
    const auto some_path = [&] {
      std::string path;
      for (uint64_t depth = random.below(3) + 1; depth > 0; --depth)
        path += (path.empty() ? "" : "/") + std::string(1, static_cast<char>('a' + random.below(3))) +
                (random.below(3) == 0 ? "-" : "");
      return path;
    };
    for (int round = 0; round < 6; ++round) {
      std::vector<Change> changes;
      for (int i = 0; i < 10; ++i) {
        const std::string path = some_path();
        if (random.below(3) == 0 && twin.contains(path)) {
          changes.push_back(DeleteFile{path});
          twin.erase(path);
          continue;
        }
        const std::string text = random.letters(5);
        changes.push_back(put(repository, path, text));
        std::erase_if(twin, [&](const auto& entry) {
          return entry.first.starts_with(path + "/") || path.starts_with(entry.first + "/");
        });
        twin[path] = text;
      }
      head = make_commit(repository, head.zero() ? std::vector<ObjectId>{} : std::vector{head}, changes);
      world.out({"read-tree", "--empty"});
      std::string index;
      for (const auto& [path, text] : twin)
        index += "100644 " + blob_id(as_bytes(text)).hex() + "\t" + path + "\n";
      world.out({"update-index", "--index-info"}, index);
      EXPECT_EQ(world.out({"write-tree"}), repository.commit(head).value().tree.hex())
          << "seed " << seed << " round " << round;
    }
    EXPECT_EQ(world.git({"fsck", "--strict", "--full", head.hex()}).errors, "") << "seed " << seed;
  }
}

TEST(Gather, KeepsObjectsInMemoryUntilTheCommitThenWritesFewOrManyDurably) {
  for (const int files : {1, 200}) {
    TestWorld world;
    Repository repository = world.make();
    const ObjectId first = make_commit(repository, {}, {put(repository, "kept", "old")});
    ASSERT_TRUE(repository.gather().ok());
    std::vector<Change> changes;
    for (int i = 0; i < files; ++i)
      changes.push_back(
          put(repository, "d" + std::to_string(i % 7) + "/f" + std::to_string(i), std::to_string(i)));
    const auto tree = edit_tree(repository, first, changes);
    ASSERT_TRUE(tree.ok()) << tree.error().message;
    EXPECT_EQ(repository.read_blob(blob_id(as_bytes("0")), 10).value(), "0");
    EXPECT_FALSE(Repository::open(repository.folder()).value().has(blob_id(as_bytes("0"))))
        << "written before the commit";
    const ObjectId second = make_commit(repository, {first}, changes);
    ASSERT_TRUE(set_ref(repository, "refs/heads/main", second).ok());
    const Repository fresh = Repository::open(repository.folder()).value();
    EXPECT_TRUE(fresh.has(blob_id(as_bytes("0"))));
    EXPECT_EQ(world.out({"show", "main:d0/f0"}), "0");
    const auto fsck = world.git({"fsck", "--strict", "--full"});
    EXPECT_TRUE(fsck.exit.clean()) << fsck.errors;
    const ObjectId third = make_commit(repository, {second}, {put(repository, "later", "more")});
    EXPECT_TRUE(Repository::open(repository.folder()).value().has(third));
    const std::string count = world.out({"count-objects", "-v"});
    EXPECT_NE(count.find(files > 100 ? "packs: 1" : "packs: 0"), std::string::npos) << count;
  }
}

TEST(WriteCommit, SquashKeepsTheTreeAndDropsTheHistory) {
  TestWorld world;
  const Repository repository = world.make();
  const ObjectId first = make_commit(repository, {}, {put(repository, "a", "1")});
  const ObjectId second = make_commit(repository, {first}, {put(repository, "b", "2")});
  const auto squashed = write_commit(repository, {.tree = repository.commit(second).value().tree,
                                                  .author = ada(),
                                                  .committer = ada(),
                                                  .message = "squash"});
  ASSERT_TRUE(squashed.ok());
  EXPECT_TRUE(repository.commit(squashed.value()).value().parents.empty());
  EXPECT_EQ(world.out({"diff", squashed.value().hex(), second.hex()}), "");
}

}  // namespace
}  // namespace holdfast::git
