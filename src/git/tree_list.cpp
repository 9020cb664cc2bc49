#include "git/tree_list.h"

#include <git2/errors.h>
#include <git2/odb.h>
#include <git2/repository.h>
#include <git2/tree.h>

#include <algorithm>

#include "git/handle.h"

namespace holdfast::git {

namespace {

constexpr size_t depth_max = 512;  // Of trees that came by push; deeper ones are refused.

EntryKind kind_of(const git_tree_entry* entry) {
  switch (git_tree_entry_filemode(entry)) {
    case GIT_FILEMODE_TREE:
      return EntryKind::folder;
    case GIT_FILEMODE_BLOB_EXECUTABLE:
      return EntryKind::executable;
    case GIT_FILEMODE_LINK:
      return EntryKind::symlink;
    case GIT_FILEMODE_COMMIT:
      return EntryKind::submodule;
    case GIT_FILEMODE_UNREADABLE:
    case GIT_FILEMODE_BLOB:
      return EntryKind::file;
  }
  return EntryKind::file;
}

// What git sorts a tree by: folders as if their name ended in '/'.
std::string sort_key(const git_tree_entry* entry) {
  std::string key = git_tree_entry_name(entry);
  if (kind_of(entry) == EntryKind::folder) key += '/';
  return key;
}

class Lister {
 public:
  Lister(const Repository& repository, git_odb* objects, const ListOptions& options)
      : repository_(repository), objects_(objects), options_(options) {}

  // Adds the entries of `tree` that come after `after` (relative to it; "" for all). False: the page is full.
  Result<bool> walk(const git_tree* tree, const std::string& prefix, std::string_view after, size_t depth) {
    if (depth > depth_max) return fail(Code::too_large, "the folders are nested too deeply");
    const size_t slash = after.find('/');
    const std::string first(after.substr(0, slash));
    const std::string_view rest = slash == after.npos ? std::string_view{} : after.substr(slash + 1);
    const size_t count = git_tree_entrycount(tree);
    for (size_t i = start(tree, first, rest); i < count; ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(tree, i);
      const bool reached = !after.empty() && first == git_tree_entry_name(entry);
      if (!reached) {
        TRY(const bool room, add(entry, prefix));
        if (!room) return false;
      }
      if (options_.depth == Depth::all && kind_of(entry) == EntryKind::folder) {
        TRY(const TreeHandle below, look_up_tree(repository_, ObjectId(*git_tree_entry_id(entry))));
        TRY(const bool room, walk(below.get(), prefix + git_tree_entry_name(entry) + "/",
                                  reached ? rest : std::string_view{}, depth + 1));
        if (!room) return false;
      }
    }
    return true;
  }

  TreePage page;

 private:
  // The index of the first entry that is or comes after the segment `first`.
  static size_t start(const git_tree* tree, const std::string& first, std::string_view rest) {
    if (first.empty()) return 0;
    const git_tree_entry* exact = git_tree_entry_byname(tree, first.c_str());
    const std::string key = exact != nullptr ? sort_key(exact) : rest.empty() ? first : first + "/";
    size_t low = 0, high = git_tree_entrycount(tree);
    while (low < high) {
      const size_t middle = (low + high) / 2;
      if (sort_key(git_tree_entry_byindex(tree, middle)) < key)
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  }

  Result<bool> add(const git_tree_entry* entry, const std::string& prefix) {
    if (page.entries.size() == options_.entries_max) {
      page.more = true;
      return false;
    }
    TreeEntry made{.path = prefix + git_tree_entry_name(entry),
                   .kind = kind_of(entry),
                   .id = ObjectId(*git_tree_entry_id(entry))};
    if (options_.sizes == Sizes::read && made.kind != EntryKind::folder &&
        made.kind != EntryKind::submodule) {
      git_object_t type = GIT_OBJECT_INVALID;
      TRY_DONE(done(git_odb_read_header(&made.size, &type, objects_, git_tree_entry_id(entry)),
                    "reading a file's size"));
    }
    page.entries.push_back(std::move(made));
    return true;
  }

  const Repository& repository_;
  git_odb* objects_;
  const ListOptions& options_;
};

std::string without_last_slash(std::string_view folder) {
  if (folder.ends_with('/')) folder.remove_suffix(1);
  return std::string(folder);
}

}  // namespace

Result<TreePage> list_tree(const Repository& repository, const ObjectId& commit, const ListOptions& options) {
  const std::string folder = without_last_slash(options.folder);
  TRY(const auto found, find_entry(repository, commit, folder));
  if (!found || !found->is_folder())
    return fail(Reason::entry_not_found, "there is no folder '" + folder + "' at this revision");
  TRY(const TreeHandle tree, look_up_tree(repository, found->id));
  git_odb* raw = nullptr;
  TRY_DONE(done(git_repository_odb(&raw, repository.raw()), "opening the objects"));
  const OdbHandle objects(raw);

  const std::string prefix = folder.empty() ? "" : folder + "/";
  std::string_view after = options.after;
  if (after.starts_with(prefix)) after.remove_prefix(prefix.size());
  Lister lister(repository, objects.get(), options);
  TRY([[maybe_unused]] const bool whole, lister.walk(tree.get(), prefix, after, 0));
  return std::move(lister.page);
}

Result<std::optional<TreeEntry>> find_entry(const Repository& repository, const ObjectId& commit,
                                            std::string_view path) {
  TRY(const TreeHandle tree, tree_of_commit(repository, commit));
  const std::string wanted = without_last_slash(path);
  if (wanted.empty())
    return std::optional(TreeEntry{.kind = EntryKind::folder, .id = ObjectId(*git_tree_id(tree.get()))});
  if (wanted.find('\0') != wanted.npos || wanted.starts_with('/')) return std::optional<TreeEntry>();
  git_tree_entry* raw = nullptr;
  const int code = git_tree_entry_bypath(&raw, tree.get(), wanted.c_str());
  if (code == GIT_ENOTFOUND) return std::optional<TreeEntry>();
  TRY_DONE(done(code, "finding a file"));
  TreeEntry entry{.path = wanted, .kind = kind_of(raw), .id = ObjectId(*git_tree_entry_id(raw))};
  git_tree_entry_free(raw);
  if (entry.kind == EntryKind::folder || entry.kind == EntryKind::submodule) return std::optional(entry);
  TRY(const ObjectHead head, repository.head_of(entry.id));
  entry.size = head.size;
  return std::optional(entry);
}

}  // namespace holdfast::git
