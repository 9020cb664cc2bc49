#include "git/merge.h"

#include <git2/errors.h>
#include <git2/index.h>
#include <git2/merge.h>

#include <set>

#include "git/handle.h"

namespace holdfast::git {

namespace {

constexpr size_t conflicts_max = 1000;

Result<std::vector<std::string>> conflicts_of(git_index* index) {
  git_index_conflict_iterator* iterator = nullptr;
  TRY_DONE(done(git_index_conflict_iterator_new(&iterator, index), "merging"));
  std::set<std::string> paths;
  const git_index_entry *base = nullptr, *ours = nullptr, *theirs = nullptr;
  while (paths.size() < conflicts_max && git_index_conflict_next(&base, &ours, &theirs, iterator) == 0)
    for (const git_index_entry* entry : {base, ours, theirs})
      if (entry != nullptr) paths.insert(entry->path);
  git_index_conflict_iterator_free(iterator);
  return std::vector<std::string>(paths.begin(), paths.end());
}

}  // namespace

Result<std::optional<ObjectId>> merge_base(const Repository& repository, const ObjectId& ours,
                                           const ObjectId& theirs) {
  const git_oid left = ours.to_git(), right = theirs.to_git();
  git_oid base;
  const int code = git_merge_base(&base, repository.raw(), &left, &right);
  if (code == GIT_ENOTFOUND) return std::optional<ObjectId>();
  TRY_DONE(done(code, "finding the merge base"));
  return std::optional(ObjectId(base));
}

Result<Merge> merge_trees(const Repository& repository, const ObjectId& ours, const ObjectId& theirs) {
  TRY(const auto base, merge_base(repository, ours, theirs));
  TRY(const TreeHandle our_tree, tree_of_commit(repository, ours));
  TRY(const TreeHandle their_tree, tree_of_commit(repository, theirs));
  TRY(const TreeHandle base_tree, tree_of_commit(repository, base.value_or(ObjectId())));
  git_merge_options options = GIT_MERGE_OPTIONS_INIT;
  options.flags = 0;  // No renames: a path is what it is called.
  git_index* raw = nullptr;
  TRY_DONE(done(
      git_merge_trees(&raw, repository.raw(), base_tree.get(), our_tree.get(), their_tree.get(), &options),
      "merging"));
  const IndexHandle index(raw);
  Merge merge;
  if (git_index_has_conflicts(raw) != 0) {
    TRY(merge.conflicts, conflicts_of(raw));
    return merge;
  }
  git_oid tree;
  TRY_DONE(done(git_index_write_tree_to(&tree, raw, repository.raw()), "merging"));
  merge.tree = ObjectId(tree);
  return merge;
}

}  // namespace holdfast::git
