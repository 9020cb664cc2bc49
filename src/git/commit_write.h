#pragma once

#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"
#include "git/tree_list.h"

namespace holdfast::git {

// One step from a tree to the next. Steps apply in order, each seeing what those before did.
struct PutFile {  // Replaces what is there, also a whole folder; a file on the way becomes a folder.
  std::string path;
  ObjectId blob;                     // Must exist.
  EntryKind kind = EntryKind::file;  // file, executable or symlink.
};
struct DeleteFile {  // entry_not_found when there is none, or a folder.
  std::string path;
};
struct DeleteFolder {  // entry_not_found when there is none; a last '/' is ignored.
  std::string path;
};
struct CopyEntry {  // A file or a whole folder of `source` (default: the tree as edited so far).
  std::string from, to;
  ObjectId source{};  // A commit; zero for the tree being edited.
};
using Change = std::variant<PutFile, DeleteFile, DeleteFolder, CopyEntry>;

inline constexpr size_t changes_max = 100'000;

// Applies `changes` to the tree of the commit `base` (zero: the empty tree) and writes the new trees, without
// a work tree. Folders left empty vanish, as in git. bad_request for paths check_path refuses.
Result<ObjectId> edit_tree(const Repository& repository, const ObjectId& base,
                           std::span<const Change> changes);

struct NewCommit {
  ObjectId tree;
  std::vector<ObjectId> parents{};  // None for a first commit, and for a squash.
  Signature author, committer;
  std::string message;  // A last newline is added when missing. At most 64 KiB.
};

// Writes the commit object, byte for byte as git would; moves no reference. It and all objects written before
// through this repository are durable when it returns.
Result<ObjectId> write_commit(const Repository& repository, const NewCommit& commit);

}  // namespace holdfast::git
