#pragma once

#include "io/disk.h"

namespace holdfast::io {

// Makes `path` a symbolic link to `target`, which is kept as it is written (relative to the link's folder).
// Replaces a link that is there; already_exists for anything else.
Status make_symlink(Disk& disk, const Path& target, const Path& path);
// Where the link at `path` points; not_found when it is no link.
Result<Path> read_symlink(Disk& disk, const Path& path);

}  // namespace holdfast::io
