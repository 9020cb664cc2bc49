#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "git/object_id.h"
#include "git/repository.h"

namespace holdfast::git {

// Bytes under a path, as some commit has them.
struct PastFile {
  std::string path{};
  ObjectId blob{};
  ObjectId commit{};  // The oldest one, by its date, that has them there.
  WallTime at{};      // When that was.
};

struct HistoryLimits {
  size_t commits_max = 200'000;
  size_t files_max = 1'000'000;  // Pairs of path and bytes, folders too.
};

struct History {
  std::vector<ObjectId> commits{};  // Oldest first.
  std::vector<PastFile> files{};    // Oldest first; submodules are left out.
  std::vector<std::string>
      gaps{};  // What could not be followed, at most 100: then this is not all there was.
};

// Every pair of path and bytes of all commits that `tips` reach, once. A tip may be an annotated tag, a tree
// or a blob. `each` is told now and then how many commits were read.
Result<History> read_history(const Repository& repository, std::span<const ObjectId> tips,
                             const HistoryLimits& limits, const std::function<void(size_t)>& each);

}  // namespace holdfast::git
