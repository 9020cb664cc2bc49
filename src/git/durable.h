#pragma once

#include <span>

#include "base/result.h"
#include "io/disk.h"

namespace holdfast::git {

// libgit2 and git fsync each object and the folder it is named in, but not the folder that got a new folder:
// after a power cut objects/ab/ could be missing with all in it. These calls close that gap.
Status sync_folders(std::span<const io::Path> folders);
// objects/ alone: after objects of ours, whose own folders libgit2 has synced.
Status sync_new_objects(const io::Path& repository);
// objects/, its packs and each of its folders: after a push, which git moved there from quarantine.
Status sync_moved_objects(const io::Path& repository);

}  // namespace holdfast::git
