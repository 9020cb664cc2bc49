#include "io/streaming.h"

namespace holdfast::io {

Result<std::unique_ptr<WriteFile>> create_streaming(Disk& disk, const Path& path) {
  if (auto* streaming = dynamic_cast<StreamingDisk*>(&disk)) return streaming->create_streaming(path);
  return disk.create(path);
}

Result<std::unique_ptr<ReadFile>> open_streaming(Disk& disk, const Path& path) {
  if (auto* streaming = dynamic_cast<StreamingDisk*>(&disk)) return streaming->open_streaming(path);
  return disk.open(path);
}

}  // namespace holdfast::io
