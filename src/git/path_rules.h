#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace holdfast::git {

inline constexpr size_t path_bytes_max = 1024;
inline constexpr size_t name_bytes_max = 255;
inline constexpr size_t path_depth_max = 64;

// Whether a client may name this path in a repository: relative, segments separated by one '/', each 1 to 255
// bytes of valid UTF-8, none `.`, `..` or anything a file system could read as `.git` (any case, NTFS's
// `git~1`, streams and trailing dots or spaces, HFS's ignored code points), no control character, backslash
// or ':' before a stream. bad_request with the path in the message otherwise.
Status check_path(std::string_view path);
// One segment of a path, by the same rules.
Status check_path_name(std::string_view name);

// Whether `name` is a full reference name (refs/…) by git's check-ref-format, at most 255 bytes.
Status check_ref_name(std::string_view name);
// A branch or tag name as users give it ("main", "v1.0"): check_ref_name of its full name, and neither 40
// hexadecimal digits nor starting with '-' or "refs/" nor "HEAD".
Status check_branch_name(std::string_view name);

}  // namespace holdfast::git
