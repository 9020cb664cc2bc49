#pragma once

#include "base/result.h"
#include "io/disk.h"

namespace holdfast::git {

// Removes the .lock files that a killed process left beside references and settings; git and libgit2 would
// take them for another writer's and refuse. Returns how many there were. Only while nobody writes to the
// repository: at start, under the lock of the data folder.
Result<size_t> remove_stale_locks(const io::Path& folder);

// Removes what killed pushes and writers left of objects that never came to be: quarantine folders and
// temporary files, which only take space. Under the same condition.
Result<size_t> remove_stale_objects(const io::Path& folder);

}  // namespace holdfast::git
