#pragma once

#include <memory>

#include "io/disk.h"

namespace holdfast::io {

// What some disks can besides: write or read a large file from start to end past the page cache. Filling the
// cache with bytes that are only stored costs more than all else of an upload, above all in a virtual
// machine, whose memory is given to it page by page.
class StreamingDisk {
 public:
  virtual ~StreamingDisk() = default;
  // As Disk::create. Appended bytes are written by a thread of the file's own, up to 3 MiB behind; an error
  // shows at a later append or at sync. The first MiB of a file, and files that are no longer, take the
  // ordinary way.
  virtual Result<std::unique_ptr<WriteFile>> create_streaming(const Path& path) = 0;
  // As Disk::open, for one reader who goes from start to end and leaves nothing in the page cache: what he
  // reads next is read meanwhile. Elsewhere it is slow.
  virtual Result<std::unique_ptr<ReadFile>> open_streaming(const Path& path) = 0;
};

// Streaming where the disk can, else an ordinary file.
Result<std::unique_ptr<WriteFile>> create_streaming(Disk& disk, const Path& path);
Result<std::unique_ptr<ReadFile>> open_streaming(Disk& disk, const Path& path);

}  // namespace holdfast::io
