#include "io/folder_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "io/posix_file.h"

namespace holdfast::io {
namespace {

class HeldLock final : public FolderLock {
 public:
  explicit HeldLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

std::string holder_of(const Descriptor& descriptor) {
  std::array<char, 200> text;
  const ssize_t got = ::pread(descriptor.get(), text.data(), text.size(), 0);
  std::string holder(text.data(), got > 0 ? static_cast<size_t>(got) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "another process" : holder;
}

}  // namespace

Result<std::unique_ptr<FolderLock>> lock_folder(const Path& folder, std::string_view name,
                                                std::string_view holder) {
  // The file is never removed: a lock on a removed file would exclude nobody.
  Descriptor descriptor(::open((folder / name).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!descriptor.open()) return disk_error(errno, "open", name);
  int outcome = 0;
  do outcome = ::flock(descriptor.get(), LOCK_EX | LOCK_NB);
  while (outcome != 0 && errno == EINTR);
  if (outcome != 0 && errno == EWOULDBLOCK)
    return fail(Code::conflict, fmt::format("the data folder is in use by: {}", holder_of(descriptor)));
  if (outcome != 0) return disk_error(errno, "lock", name);
  const std::string line = fmt::format("{}\n", holder);
  auto file =
      make_posix_write_file(Descriptor(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0)), 0, std::string(name));
  TRY_DONE(file->truncate(0));
  TRY_DONE(file->append(as_bytes(line)));
  return std::unique_ptr<FolderLock>(std::make_unique<HeldLock>(std::move(descriptor)));
}

}  // namespace holdfast::io
