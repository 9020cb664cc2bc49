#include "git/commit_log.h"

#include <git2/errors.h>
#include <git2/graph.h>
#include <git2/revwalk.h>
#include <git2/tree.h>

#include <algorithm>
#include <map>
#include <queue>

#include "git/handle.h"

namespace holdfast::git {

namespace {

constexpr size_t walk_max = 100'000;

// libgit2's default order, as git log's: by time, a parent queued when its child is taken. Asking for any
// sorting would read the whole history first and lose the order of commits of the same second.
Result<WalkHandle> start_walk(const Repository& repository, const ObjectId& from) {
  git_revwalk* raw = nullptr;
  TRY_DONE(done(git_revwalk_new(&raw, repository.raw()), "reading the history"));
  WalkHandle walk(raw);
  git_revwalk_sorting(raw, GIT_SORT_NONE);
  const git_oid start = from.to_git();
  TRY_DONE(done(git_revwalk_push(raw, &start), "reading the history"));
  return walk;
}

Result<bool> step(git_revwalk* walk, git_oid& next) {
  const int code = git_revwalk_next(&next, walk);
  if (code == GIT_ITEROVER) return false;
  TRY_DONE(done(code, "reading the history"));
  return true;
}

std::pair<std::string, std::string> split(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// What a path names in one commit; two commits with the same Named did not change it between them.
struct Named {
  ObjectId id;  // Zero: nothing there.
  int mode = 0;
  friend bool operator==(const Named&, const Named&) = default;
};

struct Sought {
  size_t index = 0;
  std::string name;
  Named now;
};
using SoughtByFolder = std::map<std::string, std::vector<Sought>>;

// Looks names up in the folders of one commit, each folder read once.
class CommitFolders {
 public:
  static Result<CommitFolders> open(const Repository& repository, const ObjectId& tree) {
    TRY(TreeHandle root, look_up_tree(repository, tree));
    return CommitFolders(repository, std::move(root));
  }

  Result<Named> named(const std::string& folder, const std::string& name) {
    TRY(const git_tree* tree, folder_of(folder));
    const git_tree_entry* entry = tree == nullptr ? nullptr : git_tree_entry_byname(tree, name.c_str());
    if (entry == nullptr) return Named{};
    return Named{ObjectId(*git_tree_entry_id(entry)), static_cast<int>(git_tree_entry_filemode(entry))};
  }

 private:
  CommitFolders(const Repository& repository, TreeHandle root) : repository_(&repository) {
    folders_[""] = std::move(root);
  }

  Result<const git_tree*> folder_of(const std::string& folder) {
    if (const auto known = folders_.find(folder); known != folders_.end()) return known->second.get();
    git_tree_entry* entry = nullptr;
    const int code = git_tree_entry_bypath(&entry, folders_[""].get(), folder.c_str());
    if (code == GIT_ENOTFOUND) return (folders_[folder] = nullptr).get();
    TRY_DONE(done(code, "reading the history"));
    const bool is_folder = git_tree_entry_type(entry) == GIT_OBJECT_TREE;
    const ObjectId id(*git_tree_entry_id(entry));
    git_tree_entry_free(entry);
    if (!is_folder) return (folders_[folder] = nullptr).get();
    TRY(folders_[folder], look_up_tree(*repository_, id));
    return folders_[folder].get();
  }

  const Repository* repository_;
  std::map<std::string, TreeHandle> folders_;
};

// Follows each path from commit to commit as long as a parent has the same thing there, newest commits first.
class ChangeSearch {
 public:
  ChangeSearch(const Repository& repository, std::span<const std::string> paths)
      : repository_(repository), paths_(paths) {}

  Result<std::unordered_map<std::string, Commit>> run(const ObjectId& from, size_t commits_max) {
    TRY(const Commit first, repository_.commit(from));
    TRY(CommitFolders folders, CommitFolders::open(repository_, first.tree));
    SoughtByFolder all;
    for (size_t i = 0; i < paths_.size(); ++i) {
      const auto [folder, name] = split(paths_[i]);
      TRY(const Named now, folders.named(folder, name));
      if (!now.id.zero()) all[folder].push_back({i, name, now});
    }
    enqueue(first, std::move(all));
    for (size_t looked = 0; !queue_.empty(); ++looked) {
      const Commit commit = queue_.top().commit;
      queue_.pop();
      SoughtByFolder sought = std::move(waiting_[commit.id]);
      waiting_.erase(commit.id);
      if (looked + 1 >= commits_max)
        settle(sought, commit);
      else
        TRY_DONE(follow(commit, std::move(sought)));
    }
    return std::move(found_);
  }

 private:
  struct Queued {
    Commit commit;
    bool operator<(const Queued& other) const { return commit.committer.time < other.commit.committer.time; }
  };

  void enqueue(const Commit& commit, SoughtByFolder sought) {
    if (sought.empty()) return;
    const auto [place, fresh] = waiting_.try_emplace(commit.id);
    if (fresh) queue_.push({commit});
    for (auto& [folder, list] : sought) {
      auto& there = place->second[folder];
      there.insert(there.end(), std::make_move_iterator(list.begin()), std::make_move_iterator(list.end()));
    }
  }

  // Hands what a parent has unchanged on to the first such parent; the rest changed here.
  Status follow(const Commit& commit, SoughtByFolder sought) {
    for (const ObjectId& parent_id : commit.parents) {
      const auto parent = repository_.commit(parent_id);
      if (!parent.ok()) continue;  // The history is shallow.
      if (parent.value().tree == commit.tree) {
        enqueue(parent.value(), std::exchange(sought, {}));
        return Done{};
      }
      TRY(CommitFolders folders, CommitFolders::open(repository_, parent.value().tree));
      SoughtByFolder unchanged;
      for (auto& [folder, list] : sought) {
        std::vector<Sought> changed;
        for (Sought& one : list) {
          TRY(const Named before, folders.named(folder, one.name));
          (before == one.now ? unchanged[folder] : changed).push_back(std::move(one));
        }
        list = std::move(changed);
      }
      std::erase_if(unchanged, [](const auto& entry) { return entry.second.empty(); });
      enqueue(parent.value(), std::move(unchanged));
    }
    settle(sought, commit);
    return Done{};
  }

  void settle(const SoughtByFolder& sought, const Commit& commit) {
    for (const auto& [folder, list] : sought)
      for (const Sought& one : list) found_.insert_or_assign(paths_[one.index], commit);
  }

  const Repository& repository_;
  std::span<const std::string> paths_;
  std::priority_queue<Queued> queue_;
  std::unordered_map<ObjectId, SoughtByFolder> waiting_;
  std::unordered_map<std::string, Commit> found_;
};

}  // namespace

Result<LogPage> read_log(const Repository& repository, const ObjectId& from, size_t skip, size_t count_max) {
  if (skip > walk_max || count_max > walk_max - skip)
    return fail(Code::too_large, "the history is only shown that far back");
  TRY(const WalkHandle walk, start_walk(repository, from));
  LogPage page;
  git_oid next;
  for (size_t at = 0;; ++at) {
    TRY(const bool more, step(walk.get(), next));
    if (!more) return page;
    if (at < skip) continue;
    if (page.commits.size() == count_max) break;
    TRY(Commit commit, repository.commit(ObjectId(next)));
    page.commits.push_back(std::move(commit));
  }
  page.more = true;
  return page;
}

Result<size_t> count_commits(const Repository& repository, const ObjectId& from, size_t count_max) {
  TRY(const WalkHandle walk, start_walk(repository, from));
  git_oid next;
  for (size_t count = 0; count < count_max; ++count) {
    TRY(const bool more, step(walk.get(), next));
    if (!more) return count;
  }
  return count_max;
}

Result<std::unordered_map<std::string, Commit>> last_changes(const Repository& repository,
                                                             const ObjectId& from,
                                                             std::span<const std::string> paths,
                                                             size_t commits_max) {
  return ChangeSearch(repository, paths).run(from, commits_max);
}

Result<bool> is_ancestor(const Repository& repository, const ObjectId& ancestor, const ObjectId& descendant) {
  if (ancestor == descendant) return true;
  const git_oid above = ancestor.to_git(), below = descendant.to_git();
  const int code = git_graph_descendant_of(repository.raw(), &below, &above);
  TRY_DONE(done(code, "comparing histories"));
  return code == 1;
}

}  // namespace holdfast::git
