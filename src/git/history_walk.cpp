#include "git/history_walk.h"

#include <fmt/format.h>
#include <git2/tree.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "git/handle.h"

namespace holdfast::git {
namespace {

constexpr size_t depth_max = 512, gaps_max = 100, told_every = 256;

struct Known {
  ObjectId commit, tree;
  WallTime at{};
};

class HistoryReader {
 public:
  HistoryReader(const Repository& repository, const HistoryLimits& limits)
      : repository_(repository), limits_(limits) {}

  Result<History> run(std::span<const ObjectId> tips, const std::function<void(size_t)>& each) {
    for (const ObjectId& tip : tips) TRY_DONE(gather(tip, each));
    // By date alone: clocks differ, so a child may come before its parent, and is then named as the oldest.
    // Those of one second stay as they were gathered, parents first.
    std::ranges::stable_sort(commits_, {}, &Known::at);
    for (const Known& commit : commits_) {
      if (commit.commit != commit.tree) history_.commits.push_back(commit.commit);
    }
    for (const Known& commit : commits_) {
      TRY_DONE(walk(commit, commit.tree, "", 0));
      if (cut_) break;
    }
    return std::move(history_);
  }

 private:
  void gap(std::string what) {
    if (history_.gaps.size() < gaps_max) history_.gaps.push_back(std::move(what));
  }

  // All commits from `tip` back that were not met before, each behind its parents.
  Status gather(const ObjectId& tip, const std::function<void(size_t)>& each) {
    struct Open {
      ObjectId id;
      std::optional<Known> read{};  // Once its parents lie above it.
    };
    std::vector<Open> open{{tip}};
    size_t unplaced = 0;  // Of those read.
    while (!open.empty()) {
      const Open next = std::move(open.back());
      open.pop_back();
      if (next.read) {
        commits_.push_back(*next.read);
        --unplaced;
        if (commits_.size() % told_every == 0) each(commits_.size());
        continue;
      }
      if (!met_.insert(next.id).second) continue;
      const auto commit = repository_.commit(next.id);
      if (!commit.ok()) {
        TRY_DONE(gather_other(next.id, commit.error()));
        continue;
      }
      if (commits_.size() + unplaced == limits_.commits_max) {
        gap(fmt::format("more than {} commits", limits_.commits_max));
        std::erase_if(open, [](const Open& waiting) { return !waiting.read; });
        continue;
      }
      ++unplaced;
      open.push_back({next.id, Known{commit.value().id, commit.value().tree, commit.value().committer.time}});
      for (const ObjectId& parent : commit.value().parents) open.push_back({parent});
    }
    return Done{};
  }

  // A reference may name a tree or a blob; a shallow clone names parents that it does not have.
  Status gather_other(const ObjectId& id, const Error& why) {
    const auto head = repository_.head_of(id);
    if (!head.ok()) {
      gap(fmt::format("{} is not here", id.hex()));
    } else if (head.value().kind == ObjectKind::tree) {
      commits_.push_back({id, id, {}});
    } else if (head.value().kind == ObjectKind::blob) {
      history_.files.push_back({.path = id.hex(), .blob = id, .commit = id});
    } else {
      gap(fmt::format("{}: {}", id.hex(), why.message));
    }
    return Done{};
  }

  Status walk(const Known& commit, const ObjectId& tree, const std::string& prefix, size_t depth) {
    if (depth > depth_max) return fail(Code::too_large, "the folders are nested too deeply");
    if (!first_time(tree, prefix) || cut_) return Done{};
    auto entries = look_up_tree(repository_, tree);
    if (!entries.ok()) {
      gap(fmt::format("{}: folder '{}' cannot be read", commit.commit.hex(), prefix));
      return Done{};
    }
    const size_t count = git_tree_entrycount(entries.value().get());
    for (size_t i = 0; i < count && !cut_; ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(entries.value().get(), i);
      const ObjectId id(*git_tree_entry_id(entry));
      const std::string path = prefix + git_tree_entry_name(entry);
      switch (git_tree_entry_type(entry)) {
        case GIT_OBJECT_TREE:
          TRY_DONE(walk(commit, id, path + "/", depth + 1));
          break;
        case GIT_OBJECT_BLOB:
          if (first_time(id, path) && !cut_) history_.files.push_back({path, id, commit.commit, commit.at});
          break;
        default:  // A submodule's commit is of another repository.
          break;
      }
    }
    return Done{};
  }

  // Whether these bytes were not met under this path before.
  bool first_time(const ObjectId& id, const std::string& path) {
    if (seen_.size() >= limits_.files_max) {
      if (!cut_) gap(fmt::format("more than {} files and folders", limits_.files_max));
      cut_ = true;
      return false;
    }
    return seen_.insert(std::string(as_text(id.bytes())) + path).second;
  }

  const Repository& repository_;
  const HistoryLimits limits_;
  std::vector<Known> commits_;
  std::unordered_set<ObjectId> met_;
  std::unordered_set<std::string> seen_;
  bool cut_ = false;
  History history_;
};

}  // namespace

Result<History> read_history(const Repository& repository, std::span<const ObjectId> tips,
                             const HistoryLimits& limits, const std::function<void(size_t)>& each) {
  return HistoryReader(repository, limits).run(tips, each);
}

}  // namespace holdfast::git
