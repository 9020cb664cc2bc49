#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"

namespace holdfast::git {

enum class EntryKind : uint8_t { file, executable, symlink, folder, submodule };

struct TreeEntry {
  std::string path{};  // From the root of the repository.
  EntryKind kind = EntryKind::file;
  ObjectId id{};      // Of the blob or tree; of a commit for a submodule.
  uint64_t size = 0;  // Of the blob; 0 for folders and submodules.

  bool is_folder() const { return kind == EntryKind::folder; }
};

enum class Depth : uint8_t { children, all };
enum class Sizes : uint8_t { read, leave_zero };  // Reading costs a look at each blob's head.

struct ListOptions {
  std::string folder{};  // "" is the root.
  Depth depth = Depth::children;
  std::string after{};  // Path of the last entry of the page before; "" for the first page.
  size_t entries_max = 1000;
  Sizes sizes = Sizes::read;
};

struct TreePage {
  std::vector<TreeEntry> entries;  // In git's order; with Depth::all a folder comes before what is in it.
  bool more = false;               // The next page starts `after` the last entry's path.
};

// A page of the tree of `commit`. entry_not_found when there is no such folder. Only the folders on the way
// to `after` and those of the page are read, so each page costs the same.
Result<TreePage> list_tree(const Repository& repository, const ObjectId& commit, const ListOptions& options);

// nullopt when there is nothing at `path`. The root ("") is a folder.
Result<std::optional<TreeEntry>> find_entry(const Repository& repository, const ObjectId& commit,
                                            std::string_view path);

}  // namespace holdfast::git
