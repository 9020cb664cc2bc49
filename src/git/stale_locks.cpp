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

}  // namespace holdfast::git
