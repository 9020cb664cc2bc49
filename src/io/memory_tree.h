#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/random.h"

namespace holdfast::io {

// A file or folder of the in-memory disk, twice: as the program sees it, and as a crash would leave it.
// Shared by the folders that name it and the handles that have it open, like an inode. Not locked: the disk
// does that.
struct MemoryNode {
  using Names = std::map<std::string, std::shared_ptr<MemoryNode>, std::less<>>;

  bool is_directory = false;
  Bytes bytes, durable_bytes;
  Names names, durable_names;
};

enum class CrashMode : uint8_t { lose_all, by_dice };
// Turns the tree below `folder` into what a crash leaves. `random` is used by dice only.
void crash_tree(MemoryNode& folder, CrashMode mode, Random& random);

}  // namespace holdfast::io
