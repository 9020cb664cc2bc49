#include "git/durable.h"

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

namespace holdfast::git {

Status sync_folders(std::span<const io::Path> folders) {
  for (const io::Path& folder : folders) {
    const int raw = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (raw < 0) return fail(Code::internal, "a folder of the repository could not be opened");
    const bool synced = ::fsync(raw) == 0;
    ::close(raw);
    if (!synced) return fail(Reason::disk_full, "a folder of the repository could not be made durable");
  }
  return Done{};
}

Status sync_new_objects(const io::Path& repository) {
  const io::Path folder = repository / "objects";
  return sync_folders({&folder, 1});
}

Status sync_moved_objects(const io::Path& repository) {
  const io::Path objects = repository / "objects";
  std::vector<io::Path> folders{objects};
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(objects, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename();
    if (name.size() == 2 || name == "pack") folders.push_back(entry->path());
  }
  if (error) return fail(Code::internal, "the folders of the repository could not be listed");
  return sync_folders(folders);
}

}  // namespace holdfast::git
