#pragma once

#include <chrono>
#include <cstdint>

#include "io/disk.h"

namespace holdfast::io {

// What the kernel tells of a file beside its size, links followed.
struct FileFacts {
  uint64_t device = 0, inode = 0, size = 0;
  int64_t changed_ns = 0;   // When its bytes or what is told of it changed last; no program can set it.
  int64_t modified_ns = 0;  // When its bytes were written, or `mark_used` was called.
  bool is_file = false;
  bool is_ours = false;  // This process's user owns it.
};
Result<FileFacts> file_facts(Disk& disk, const Path& path);

// So that a cache knows what was used last.
Status mark_used(Disk& disk, const Path& path);

}  // namespace holdfast::io
