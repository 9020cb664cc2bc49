#pragma once

#include <memory>
#include <string_view>

#include "io/disk.h"

namespace holdfast::io {

// Says that one process works on a folder. Held while it lives; the kernel lets go when the process ends, how
// ever it ends.
class FolderLock {
 public:
  virtual ~FolderLock() = default;
};

// Takes the lock file `name` in `folder`, without waiting, and writes `holder` ("holdfast serve, pid 4711")
// into it. conflict, naming the holder, when another has it. On a real disk only.
Result<std::unique_ptr<FolderLock>> lock_folder(const Path& folder, std::string_view name,
                                                std::string_view holder);

}  // namespace holdfast::io
