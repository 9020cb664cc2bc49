#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"

namespace holdfast::git {

enum class DiffKind : uint8_t { added, removed, modified };

struct DiffEntry {
  std::string path;
  DiffKind kind = DiffKind::modified;
  ObjectId before, after;  // Blobs; zero where there is none.
};

struct DiffList {
  std::vector<DiffEntry> entries;  // Files only, by path.
  bool cut = false;                // There are more than entries_max.
};

// What differs between the trees of two commits; zero is the empty tree.
Result<DiffList> diff_trees(const Repository& repository, const ObjectId& before, const ObjectId& after,
                            size_t entries_max = 10'000);

// The same as a unified diff in git's form, cut at `bytes_max` on a line's end. Blobs over 1 MiB are shown as
// binary.
Result<std::string> diff_text(const Repository& repository, const ObjectId& before, const ObjectId& after,
                              size_t bytes_max);

}  // namespace holdfast::git
