#include "git/stale_locks.h"

#include <fmt/format.h>

#include <vector>

namespace holdfast::git {

Result<size_t> remove_stale_locks(const io::Path& folder) {
  std::error_code error;
  std::vector<io::Path> locks;
  for (const char* name : {"HEAD.lock", "config.lock", "packed-refs.lock"})
    if (std::filesystem::exists(folder / name, error)) locks.push_back(folder / name);
  for (std::filesystem::recursive_directory_iterator entry(folder / "refs", error), end;
       !error && entry != end; entry.increment(error))
    if (entry->path().extension() == ".lock" && entry->is_regular_file(error)) locks.push_back(entry->path());
  if (error) return fail(Code::internal, fmt::format("references cannot be listed: {}", error.message()));
  for (const io::Path& lock : locks)
    if (!std::filesystem::remove(lock, error) && error)
      return fail(Code::internal,
                  fmt::format("{} cannot be removed: {}", lock.filename().string(), error.message()));
  return locks.size();
}

Result<size_t> remove_stale_objects(const io::Path& folder) {
  std::error_code error;
  std::vector<io::Path> stale;
  for (const io::Path& place : {folder / "objects", folder / "objects/pack"}) {
    if (!std::filesystem::exists(place, error))
      continue;  // A repository without packs has no folder for them.
    for (std::filesystem::directory_iterator entry(place, error), end; !error && entry != end;
         entry.increment(error)) {
      // git's tmp_objdir-*, tmp_obj_*, tmp_pack_*, tmp_idx_*; libgit2's tmp_object_git2_*, pack_git2_*.
      const std::string name = entry->path().filename();
      if (name.starts_with("tmp_") || name.starts_with("pack_git2_")) stale.push_back(entry->path());
    }
  }
  if (error) return fail(Code::internal, fmt::format("objects cannot be listed: {}", error.message()));
  for (const io::Path& path : stale) {
    std::filesystem::remove_all(path, error);
    if (error)
      return fail(Code::internal,
                  fmt::format("{} cannot be removed: {}", path.filename().string(), error.message()));
  }
  return stale.size();
}

}  // namespace holdfast::git
