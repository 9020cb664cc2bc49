#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "git/commit_write.h"
#include "git/repository.h"
#include "process/run.h"

namespace holdfast::git {

// A temporary folder with a bare repository of ours in it, and the real git as referee. For tests only.
class TestWorld {
 public:
  TestWorld() {
    char pattern[] = "/tmp/holdfast_git_XXXXXX";
    folder_ = ::mkdtemp(pattern);
  }
  ~TestWorld() { std::filesystem::remove_all(folder_); }

  const std::filesystem::path& folder() const { return folder_; }

  Repository make(const std::string& name = "bare.git") {
    auto made = Repository::init(folder_ / name);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(made).value();
  }

  // Runs git in `where` (relative to the folder) with fixed identities and dates, and no configuration.
  process::Ran git(std::vector<std::string> arguments, const std::string& input = "",
                   const std::string& where = "bare.git") const {
    arguments.insert(arguments.begin(), {"-C", (folder_ / where).string(), "-c", "safe.directory=*"});
    process::SpawnOptions options{.program = "/usr/bin/git",
                                  .arguments = std::move(arguments),
                                  .environment = environment(),
                                  .folder = folder_.string()};
    auto ran = process::run(options, {.input = input}, clock_);
    EXPECT_TRUE(ran.ok()) << ran.error().message;
    return ran.ok() ? std::move(ran).value() : process::Ran{};
  }
  // Its output without the last newline; the test fails when git does.
  std::string out(std::vector<std::string> arguments, const std::string& input = "",
                  const std::string& where = "bare.git") const {
    process::Ran ran = git(std::move(arguments), input, where);
    EXPECT_TRUE(ran.exit.clean()) << ran.errors;
    while (ran.output.ends_with('\n')) ran.output.pop_back();
    return ran.output;
  }
  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path, std::ios::binary) << text;
  }

  std::vector<std::pair<std::string, std::string>> environment() const {
    return {{"PATH", "/usr/bin:/bin"},
            {"HOME", folder_.string()},
            {"GIT_CONFIG_NOSYSTEM", "1"},
            {"GIT_TERMINAL_PROMPT", "0"},
            {"GIT_AUTHOR_NAME", "Ada"},
            {"GIT_AUTHOR_EMAIL", "ada@example.org"},
            {"GIT_AUTHOR_DATE", "1700000000 +0000"},
            {"GIT_COMMITTER_NAME", "Ada"},
            {"GIT_COMMITTER_EMAIL", "ada@example.org"},
            {"GIT_COMMITTER_DATE", "1700000000 +0000"}};
  }
  const Clock& clock() const { return clock_; }

 private:
  std::filesystem::path folder_;
  SystemClock clock_;
};

inline Signature ada(int64_t seconds = 1'700'000'000) {
  return {.name = "Ada", .email = "ada@example.org", .time = WallTime{std::chrono::seconds{seconds}}};
}

inline ObjectId put_blob(const Repository& repository, std::string_view text) {
  auto id = repository.write_blob(as_bytes(text));
  EXPECT_TRUE(id.ok()) << id.error().message;
  return id.value();
}

inline ObjectId make_commit(const Repository& repository, std::vector<ObjectId> parents,
                            std::vector<Change> changes, const std::string& message = "a commit",
                            int64_t seconds = 1'700'000'000) {
  auto tree = edit_tree(repository, parents.empty() ? ObjectId() : parents[0], changes);
  EXPECT_TRUE(tree.ok()) << tree.error().message;
  auto commit = write_commit(repository, {.tree = tree.value(),
                                          .parents = std::move(parents),
                                          .author = ada(seconds),
                                          .committer = ada(seconds),
                                          .message = message});
  EXPECT_TRUE(commit.ok()) << commit.error().message;
  return commit.value();
}

inline PutFile put(const Repository& repository, const std::string& path, std::string_view text) {
  return {.path = path, .blob = put_blob(repository, text)};
}

}  // namespace holdfast::git
