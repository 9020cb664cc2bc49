#pragma once

#include <string>
#include <vector>

#include "io/disk.h"

namespace holdfast::io {

// `path` in its shortest form. One that climbs above where it starts ("..", "a/../..") or holds a zero byte
// is bad_request, so that no name made of a caller's words leaves the disk's root.
Result<Path> checked_path(const Path& path);

// What messages call `path`: itself when relative, else its last part, so that no server path leaves.
std::string shown_name(const Path& path);

}  // namespace holdfast::io
