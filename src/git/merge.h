#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"

namespace holdfast::git {

// The best common ancestor; nullopt for unrelated histories.
Result<std::optional<ObjectId>> merge_base(const Repository& repository, const ObjectId& ours,
                                           const ObjectId& theirs);

struct Merge {
  ObjectId tree;                       // Zero when there are conflicts.
  std::vector<std::string> conflicts;  // Paths, sorted, at most 1000.
};

// Three-way merge of the trees of two commits over their merge base, text files line by line. Writes blobs
// and trees, no commit.
Result<Merge> merge_trees(const Repository& repository, const ObjectId& ours, const ObjectId& theirs);

}  // namespace holdfast::git
