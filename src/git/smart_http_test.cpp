#include "git/smart_http.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

#include "git/commit_log.h"
#include "git/git_hook.h"
#include "git/hook_server.h"
#include "git/refs.h"
#include "git/test_http_server.h"
#include "git/test_world.h"

namespace holdfast::git {
namespace {

using namespace std::chrono_literals;

// This test program is the hook program as well: git runs it as `PROGRAM git-hook NAME`.
__attribute__((constructor)) void act_as_hook(int argc, char** argv, char**) {
  if (argc != 3 || std::string(argv[1]) != "git-hook") return;
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  };
  const auto complain = [](std::string_view text) { (void)!::write(2, text.data(), text.size()); };
  ::_exit(run_git_hook(argv[2], 0, 1, environment, complain));
}

struct NamedPusher final : Pusher {
  explicit NamedPusher(std::string who) : name(std::move(who)) {}
  std::string name;
};

// Accepts pointers of the hash aaa… only, and remembers what it saw.
class TestGate final : public PushGate {
 public:
  Status check(const Push& push, const NewObjects& objects) override {
    std::lock_guard lock(mutex_);
    pusher_ = static_cast<const NamedPusher&>(push.pusher).name;
    for (const auto& [blob, pointer] : objects.pointers)
      if (pointer.sha256 != std::string(64, 'a'))
        return fail(Reason::object_missing,
                    "LFS pointer pointed to a file that does not exist: " + pointer.sha256);
    for (const RefCommand& command : push.commands)
      EXPECT_TRUE(command.after.zero() || push.repository.has(command.after));
    return Done{};
  }
  std::string pusher() {
    std::lock_guard lock(mutex_);
    return pusher_;
  }

 private:
  std::mutex mutex_;  // Guards pusher_.
  std::string pusher_;
};

// References as SQL would keep them: compare and set, no forced pushes to main.
class TestAuthority final : public RefAuthority {
 public:
  Result<std::vector<RefOutcome>> apply(const Push& push, Atomic atomic) override {
    std::lock_guard lock(mutex_);
    std::vector<RefOutcome> outcomes;
    bool all = true;
    for (const RefCommand& command : push.commands) {
      outcomes.push_back({command.ref, decide(push.repository, command)});
      all &= outcomes.back().status.ok();
    }
    for (size_t i = 0; i < outcomes.size(); ++i) {
      if (atomic == Atomic::yes && !all && outcomes[i].status.ok())
        outcomes[i].status = fail(Code::conflict, "another reference of this push was refused");
      if (!outcomes[i].status.ok()) continue;
      truth_[outcomes[i].ref] = push.commands[i].after;
      EXPECT_TRUE(set_ref(push.repository, outcomes[i].ref, push.commands[i].after).ok());
    }
    return outcomes;
  }

 private:
  Status decide(const Repository& repository, const RefCommand& command) {
    if (truth_[command.ref] != command.before) return fail(Reason::stale_parent, "the branch has moved");
    if (command.ref == "refs/heads/main" && !command.before.zero()) {
      const auto forward = is_ancestor(repository, command.before, command.after);
      if (!forward.ok() || !forward.value()) return fail(Reason::policy_refused, "main only moves forward");
    }
    return Done{};
  }

  std::mutex mutex_;  // Guards truth_.
  std::map<std::string, ObjectId> truth_;
};

class SmartHttpTest : public ::testing::Test {
 protected:
  void SetUp() override {
    world.make();
    disk = io::open_posix_disk(world.folder()).value();
    ASSERT_TRUE(install_hooks(*disk, "hooks", std::filesystem::read_symlink("/proc/self/exe")).ok());
    hooks = start_hook_server({.socket = world.folder() / "hook.socket"}, gate, authority, world.clock(),
                              random, log)
                .value();
    http = make_smart_http({.hooks_folder = world.folder() / "hooks", .exchange_timeout = 60s}, *hooks,
                           world.clock(), log);
    server = std::make_unique<TestHttpServer>(*http, world.folder(),
                                              [] { return std::make_shared<NamedPusher>("ada"); });
    url = server->url("bare.git");
  }
  void TearDown() override {
    server.reset();
    EXPECT_EQ(leftovers(), 0) << "quarantine folders are left";
    if (HasFailure())
      for (const std::string& line : sink.lines()) std::cerr << line;
  }

  int leftovers() {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(world.folder() / "bare.git/objects"))
      count += entry.path().filename().string().starts_with("tmp_objdir");
    return count;
  }
  size_t objects() {
    return std::stoul("0" + world.out({"count-objects"}).substr(0, world.out({"count-objects"}).find(' ')));
  }

  void clone(const std::string& into, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"clone", "-q"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.insert(arguments.end(), {url, (world.folder() / into).string()});
    world.out(arguments, "", ".");
  }
  void commit(const std::string& work, const std::string& path, const std::string& text) {
    world.write(work + "/" + path, text);
    world.out({"add", "-A"}, "", work);
    world.out({"commit", "-q", "-m", "change " + path}, "", work);
  }
  process::Ran push(const std::string& work, std::vector<std::string> refs) {
    refs.insert(refs.begin(), {"push", "origin"});
    return world.git(refs, "", work);
  }
  // A clone with one commit pushed to main.
  void start_work() {
    clone("work");
    commit("work", "a.txt", "one");
    const auto ran = push("work", {"HEAD:refs/heads/main"});
    ASSERT_TRUE(ran.exit.clean()) << ran.errors;
  }

  TestWorld world;
  SystemRandom random;
  MemoryLogSink sink;
  Log log{sink, world.clock()};
  TestGate gate;
  TestAuthority authority;
  std::unique_ptr<io::Disk> disk;
  std::unique_ptr<HookServer> hooks;
  std::unique_ptr<SmartHttp> http;
  std::unique_ptr<TestHttpServer> server;
  std::string url;
};

TEST_F(SmartHttpTest, PushesAndClonesBringTheSameCommit) {
  start_work();
  EXPECT_EQ(gate.pusher(), "ada");
  const std::string head = world.out({"rev-parse", "HEAD"}, "", "work");
  EXPECT_EQ(world.out({"rev-parse", "main"}), head);
  for (const char* version : {"0", "1", "2"}) {
    const std::string into = std::string("clone") + version;
    world.out({"-c", std::string("protocol.version=") + version, "clone", "-q", url,
               (world.folder() / into).string()},
              "", ".");
    EXPECT_EQ(world.out({"rev-parse", "HEAD"}, "", into), head);
  }
  EXPECT_GT(server->v2_requests, 0);
  EXPECT_EQ(world.git({"fsck", "--strict", "--full"}).errors, "");
}

TEST_F(SmartHttpTest, ManyCommitsNeedCompressedAndChunkedRequests) {
  start_work();
  for (int i = 0; i < 120; ++i)
    world.out({"commit", "-q", "--allow-empty", "-m", "c" + std::to_string(i)}, "", "work");
  Bytes noise(2 << 20);
  SeededRandom(1).fill(noise);
  commit("work", "noise.txt",
         std::string(as_text(noise)));  // Over http.postBuffer (1 MiB), so it is sent chunked.
  const auto ran = push("work", {"HEAD:refs/heads/main"});
  ASSERT_TRUE(ran.exit.clean()) << ran.errors;
  clone("again");
  EXPECT_EQ(world.out({"rev-parse", "HEAD"}, "", "again"), world.out({"rev-parse", "HEAD"}, "", "work"));
  for (int i = 0; i < 40; ++i)
    world.out({"commit", "-q", "--allow-empty", "-m", "d" + std::to_string(i)}, "", "again");
  ASSERT_TRUE(push("again", {"HEAD:refs/heads/main"}).exit.clean());
  world.out({"pull", "-q"}, "", "work");
  EXPECT_EQ(world.out({"rev-parse", "HEAD"}, "", "again"), world.out({"rev-parse", "HEAD"}, "", "work"));
}

TEST_F(SmartHttpTest, BranchesTagsAndPullRequestsComeAndGo) {
  start_work();
  world.out({"tag", "-a", "v1", "-m", "one"}, "", "work");
  auto ran = push("work", {"HEAD:refs/heads/dev", "v1", "HEAD:refs/tags/light", "HEAD:refs/pr/1"});
  ASSERT_TRUE(ran.exit.clean()) << ran.errors;
  EXPECT_EQ(list_refs(Repository::open(world.folder() / "bare.git").value()).value().size(), 5U);
  clone("other");
  world.out({"fetch", "-q", "origin", "refs/pr/1"}, "", "other");
  EXPECT_EQ(world.out({"rev-parse", "FETCH_HEAD"}, "", "other"),
            world.out({"rev-parse", "HEAD"}, "", "work"));
  ran = push("work", {":refs/heads/dev", ":refs/tags/light"});
  ASSERT_TRUE(ran.exit.clean()) << ran.errors;
  EXPECT_EQ(list_refs(Repository::open(world.folder() / "bare.git").value()).value().size(), 3U);
}

TEST_F(SmartHttpTest, RulesOfReferencesAreToldToThePusher) {
  start_work();
  struct Case {
    const char* why;
    std::vector<std::string> refs;
    const char* text;
  };
  const Case cases[] = {
      {"main is not deleted", {":refs/heads/main"}, "remote: Cannot delete refs/heads/main."},
      {"other namespaces", {"HEAD:refs/evil/x"}, "remote: 'refs/evil/x' is not allowed"},
      {"pull requests have numbers", {"HEAD:refs/pr/new"}, "is not allowed"},
      {"a branch is a commit", {"HEAD^{tree}:refs/heads/tree"}, "must point at a commit"},
      {"a branch is no hash",
       {"HEAD:refs/heads/0123456789012345678901234567890123456789"},
       "Invalid reference for a branch"},
  };
  for (const auto& [why, refs, text] : cases) {
    const auto ran = push("work", refs);
    EXPECT_FALSE(ran.exit.clean()) << why;
    EXPECT_NE(ran.errors.find(text), std::string::npos) << why << ": " << ran.errors;
    EXPECT_EQ(ran.errors.find(world.folder().string() + "/bare"), std::string::npos)
        << "a server path is shown";
  }
}

TEST_F(SmartHttpTest, ForcedPushIsDecidedByTheAuthority) {
  start_work();
  ASSERT_TRUE(push("work", {"HEAD:refs/heads/dev"}).exit.clean());
  world.out({"commit", "-q", "--amend", "-m", "rewritten"}, "", "work");
  const auto refused = push("work", {"+HEAD:refs/heads/main", "+HEAD:refs/heads/dev"});
  EXPECT_FALSE(refused.exit.clean());
  EXPECT_NE(refused.errors.find("[remote rejected] HEAD -> main (main only moves forward)"),
            std::string::npos)
      << refused.errors;
  EXPECT_EQ(world.out({"rev-parse", "dev"}), world.out({"rev-parse", "HEAD"}, "", "work"));
  EXPECT_NE(world.out({"rev-parse", "main"}), world.out({"rev-parse", "HEAD"}, "", "work"));
  world.out({"commit", "-q", "--amend", "-m", "again"}, "", "work");
  EXPECT_FALSE(push("work", {"--atomic", "+HEAD:refs/heads/main", "+HEAD:refs/heads/dev"}).exit.clean());
  EXPECT_NE(world.out({"rev-parse", "dev"}), world.out({"rev-parse", "HEAD"}, "", "work"));
}

TEST_F(SmartHttpTest, LargeFilesAndAbsentObjectsAreRefusedAndLeaveNothing) {
  start_work();
  const size_t before = objects();
  commit("work", "weights/model.bin", std::string(10'000'001, 'w'));
  commit("work", "b.txt", "two");
  auto ran = push("work", {"HEAD:refs/heads/main"});
  EXPECT_FALSE(ran.exit.clean());
  EXPECT_NE(ran.errors.find("remote: Your push was rejected because it contains files larger than 10 MB."),
            std::string::npos)
      << ran.errors;
  EXPECT_NE(ran.errors.find("remote:   - weights/model.bin (10 MB)"), std::string::npos) << ran.errors;
  EXPECT_EQ(objects(), before);

  world.out({"reset", "-q", "--hard", "origin/main"}, "", "work");
  commit("work", "p.bin", format_lfs_pointer({std::string(64, 'b'), 5}));
  ran = push("work", {"HEAD:refs/heads/main"});
  EXPECT_NE(ran.errors.find("remote: LFS pointer pointed to a file that does not exist: bbbb"),
            std::string::npos)
      << ran.errors;
  EXPECT_EQ(objects(), before);
  world.out({"reset", "-q", "--hard", "origin/main"}, "", "work");
  commit("work", "p.bin", format_lfs_pointer({std::string(64, 'a'), 5}));
  EXPECT_TRUE(push("work", {"HEAD:refs/heads/main"}).exit.clean());
}

TEST_F(SmartHttpTest, HostileTreesAreRefused) {
  start_work();
  const std::string blob = world.out({"hash-object", "-w", "--stdin"}, "x", "work");
  const std::string raw_blob(as_text(ObjectId::parse(blob).value().bytes()));
  for (const std::string name : {".git", "..", ".GIT", "a\\b", "a\nb", "\xff\xfe", "git~1"}) {
    const std::string tree = world.out({"hash-object", "-t", "tree", "-w", "--stdin", "--literally"},
                                       "100644 " + name + std::string(1, '\0') + raw_blob, "work");
    const std::string commit = world.out({"commit-tree", tree, "-m", "evil"}, "", "work");
    const auto ran = push("work", {commit + ":refs/heads/evil"});
    EXPECT_FALSE(ran.exit.clean()) << name;
    EXPECT_NE(ran.errors.find("remote: "), std::string::npos) << ran.errors;
  }
}

TEST_F(SmartHttpTest, ShallowAndPartialClonesWork) {
  start_work();
  for (int i = 0; i < 5; ++i)
    commit("work", "f" + std::to_string(i), std::string(1000, static_cast<char>('a' + i)));
  ASSERT_TRUE(push("work", {"HEAD:refs/heads/main"}).exit.clean());
  clone("shallow", {"--depth", "1"});
  EXPECT_EQ(world.out({"rev-list", "--count", "HEAD"}, "", "shallow"), "1");
  world.out({"fetch", "-q", "--unshallow"}, "", "shallow");
  EXPECT_EQ(world.out({"rev-list", "--count", "HEAD"}, "", "shallow"), "6");
  clone("partial", {"--filter=blob:none", "--no-checkout"});
  EXPECT_NE(world.out({"rev-list", "--objects", "--missing=print", "HEAD"}, "", "partial").find('?'),
            std::string::npos);
  world.out({"checkout", "-q", "main"}, "", "partial");
  EXPECT_EQ(std::filesystem::file_size(world.folder() / "partial/f4"), 1000U);
  const std::string old = world.out({"rev-parse", "HEAD~3"}, "", "work");
  world.out({"init", "-q", "single"}, "", ".");
  world.out({"fetch", "-q", "--depth", "1", url, old}, "", "single");
}

TEST_F(SmartHttpTest, OfPushesToOneBranchAtOnceOneWins) {
  start_work();
  constexpr int count = 6;
  for (int i = 0; i < count; ++i) {
    clone("w" + std::to_string(i));
    commit("w" + std::to_string(i), "file" + std::to_string(i), "x");
  }
  std::atomic<int> won{0};
  std::vector<std::thread> pushers;
  for (int i = 0; i < count; ++i)
    pushers.emplace_back(
        [&, i] { won += push("w" + std::to_string(i), {"HEAD:refs/heads/main"}).exit.clean(); });
  for (std::thread& one : pushers) one.join();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(world.out({"rev-list", "--count", "main"}), "2");
}

TEST_F(SmartHttpTest, AClientThatLeavesEndsGitAndItsQuarantine) {
  start_work();
  auto exchange =
      http->receive_pack({.repository = world.folder() / "bare.git", .service = Service::receive_pack},
                         std::make_shared<NamedPusher>("eve"));
  ASSERT_TRUE(exchange.ok());
  const std::string ref = std::string(40, '0') + " " + std::string(40, 'a') + " refs/heads/x" +
                          std::string(1, '\0') + " report-status";
  char head[5];
  std::snprintf(head, sizeof head, "%04zx", ref.size() + 4);
  ASSERT_TRUE(exchange.value()->write(as_bytes(head + ref + "0000PACK")).ok());
  std::this_thread::sleep_for(200ms);
  exchange.value().reset();
  EXPECT_EQ(leftovers(), 0);
  const auto broken =
      http->receive_pack({.repository = world.folder() / "bare.git", .service = Service::receive_pack},
                         std::make_shared<NamedPusher>("eve"));
  ASSERT_TRUE(broken.value()->write(as_bytes("zzzz")).ok());
  EXPECT_FALSE(broken.value()->finish().ok());
  EXPECT_FALSE(http->advertise({.repository = world.folder() / "absent.git"}).ok());
}

TEST_F(SmartHttpTest, KeysOfNoRunningPushAreRefused) {
  std::string said;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[1]);
  const auto environment = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "HOLDFAST_HOOK_SOCKET") return (world.folder() / "hook.socket").string();
    if (name == "HOLDFAST_HOOK_KEY") return std::string(32, '0');
    return std::nullopt;
  };
  EXPECT_EQ(
      run_git_hook("pre-receive", ends[0], 1, environment, [&](std::string_view text) { said += text; }), 1);
  EXPECT_EQ(said, "this push is not known to the server\n");
  EXPECT_EQ(
      run_git_hook("post-receive", ends[0], 1, environment, [&](std::string_view text) { said += text; }), 1);
  ::close(ends[0]);
}

}  // namespace
}  // namespace holdfast::git
