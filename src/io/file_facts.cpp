#include "io/file_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "io/disk_path.h"
#include "io/posix_file.h"

namespace holdfast::io {
namespace {

int64_t nanoseconds(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

Result<FileFacts> file_facts(Disk& disk, const Path& path) {
  struct stat status{};
  if (::stat(disk.absolute(path).c_str(), &status) != 0)
    return disk_error(errno, "look at", shown_name(path));
  FileFacts out;
  out.device = status.st_dev;
  out.inode = status.st_ino;
  out.size = static_cast<uint64_t>(status.st_size);
  out.changed_ns = nanoseconds(status.st_ctim);
  out.modified_ns = nanoseconds(status.st_mtim);
  out.is_file = S_ISREG(status.st_mode);
  out.is_ours = status.st_uid == ::geteuid();
  return out;
}

Status mark_used(Disk& disk, const Path& path) {
  const timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
  if (::utimensat(AT_FDCWD, disk.absolute(path).c_str(), times, 0) != 0)
    return disk_error(errno, "mark", shown_name(path));
  return Done{};
}

}  // namespace holdfast::io
