#include "io/disk_path.h"

namespace holdfast::io {

Result<Path> checked_path(const Path& path) {
  if (path.native().find('\0') != std::string::npos)
    return fail(Reason::bad_request, "a path holds a zero byte");
  int depth = 0;
  for (const Path& part : path.relative_path()) {
    if (part == "..") --depth;
    if (part != ".." && part != "." && !part.empty()) ++depth;
    if (depth < 0) return fail(Reason::bad_request, "a path leaves its folder");
  }
  Path shortest = path.lexically_normal();
  if (!shortest.has_filename() && shortest.has_relative_path()) shortest = shortest.parent_path();  // "a/"
  return shortest.empty() ? Path(".") : shortest;
}

std::string shown_name(const Path& path) {
  return path.is_absolute() ? path.filename().string() : path.string();
}

}  // namespace holdfast::io
