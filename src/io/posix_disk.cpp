#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "io/disk.h"
#include "io/disk_path.h"
#include "io/posix_file.h"
#include "io/streaming.h"
#include "io/streaming_file.h"

namespace holdfast::io {
namespace {

constexpr mode_t file_mode = 0640, directory_mode = 0750;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

class PosixDisk final : public Disk, public StreamingDisk {
 public:
  PosixDisk(Descriptor root, Path root_path) : root_(std::move(root)), root_path_(std::move(root_path)) {}

  Result<std::unique_ptr<ReadFile>> open(const Path& path) override {
    TRY(Descriptor descriptor, open_to_read(path));
    return make_posix_read_file(std::move(descriptor), shown(path));
  }

  Result<std::unique_ptr<MappedFile>> map(const Path& path) override {
    TRY(const Descriptor descriptor, open_to_read(path));
    return map_descriptor(descriptor, shown(path));
  }

  Result<std::unique_ptr<WriteFile>> create(const Path& path) override {
    TRY(Descriptor descriptor, open_file(path, O_WRONLY | O_CREAT | O_EXCL, "create"));
    return make_posix_write_file(std::move(descriptor), 0, shown(path));
  }

  Result<std::unique_ptr<ReadFile>> open_streaming(const Path& path) override {
    TRY(Descriptor descriptor, open_to_read(path));
    return make_streaming_read_file(std::move(descriptor), shown(path));
  }
  Result<std::unique_ptr<WriteFile>> create_streaming(const Path& path) override {
    TRY(Descriptor descriptor, open_file(path, O_WRONLY | O_CREAT | O_EXCL, "create"));
    return make_streaming_write_file(std::move(descriptor), shown(path));
  }

  Result<std::unique_ptr<WriteFile>> open_append(const Path& path) override {
    TRY(Descriptor descriptor, open_file(path, O_WRONLY | O_CREAT, "open"));
    struct stat status{};
    if (::fstat(descriptor.get(), &status) != 0) return disk_error(errno, "look at", shown(path));
    return make_posix_write_file(std::move(descriptor), static_cast<uint64_t>(status.st_size), shown(path));
  }

  Status rename(const Path& from, const Path& to) override {
    TRY(const Path source, checked_path(from));
    TRY(const Path target, checked_path(to));
    if (::renameat(root_.get(), source.c_str(), root_.get(), target.c_str()) != 0)
      return disk_error(errno, "rename", shown(from));
    return Done{};
  }

  Status remove(const Path& path) override {
    TRY(const Path target, checked_path(path));
    if (::unlinkat(root_.get(), target.c_str(), 0) != 0) return disk_error(errno, "remove", shown(path));
    return Done{};
  }

  Status remove_tree(const Path& path) override {
    TRY(const Path target, checked_path(path));
    if (target == ".") return fail(Reason::bad_request, "the root of a disk is not removed");
    std::error_code error;
    std::filesystem::remove_all(absolute(target), error);
    const bool missing = error.value() == ENOENT || error.value() == ENOTDIR;  // Also: under a file.
    if (error && !missing) return disk_error(error.value(), "remove", shown(path));
    return Done{};
  }

  Status make_directories(const Path& path) override {
    TRY(const Path target, checked_path(path));
    Path made = target.is_absolute() ? Path("/") : Path(".");
    for (const Path& part : target.relative_path()) {
      const Path parent = made;
      made /= part;
      if (::mkdirat(root_.get(), made.c_str(), directory_mode) == 0) {
        TRY_DONE(sync_directory(parent));
      } else if (errno != EEXIST) {
        return disk_error(errno == ENOTDIR ? EEXIST : errno, "make",
                          shown(path));  // A file is in the way.
      }
    }
    struct stat status{};
    if (::fstatat(root_.get(), made.c_str(), &status, 0) != 0)
      return disk_error(errno, "look at", shown(path));
    if (!S_ISDIR(status.st_mode)) return disk_error(EEXIST, "make", shown(path));
    return Done{};
  }

  Status sync_directory(const Path& path) override {
    TRY(const Descriptor directory, open_file(path, O_RDONLY | O_DIRECTORY, "open"));
    int outcome = 0;
    do outcome = ::fsync(directory.get());
    while (outcome != 0 && errno == EINTR);
    if (outcome != 0) return disk_error(errno, "sync", shown(path));
    return Done{};
  }

  Result<std::vector<Entry>> list(const Path& path) override {
    TRY(const Descriptor descriptor, open_file(path, O_RDONLY | O_DIRECTORY, "list"));
    const int duplicate = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0);  // closedir closes it.
    if (duplicate < 0) return disk_error(errno, "list", shown(path));
    const std::unique_ptr<DIR, CloseDirectory> directory(::fdopendir(duplicate));
    if (directory == nullptr) return disk_error(errno, "list", shown(path));
    std::vector<Entry> entries;
    while (true) {
      errno = 0;
      const dirent* found = ::readdir(directory.get());
      if (found == nullptr && errno != 0) return disk_error(errno, "list", shown(path));
      if (found == nullptr) break;
      const std::string_view name = found->d_name;
      if (name == "." || name == "..") continue;
      auto entry = entry_of(duplicate, found->d_name, found->d_name);
      if (entry.ok())
        entries.push_back(std::move(entry).value());
      else if (entry.error().code != Code::not_found)  // Removed meanwhile: not there.
        return std::move(entry).error();
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
  }

  Result<Entry> stat(const Path& path) override {
    TRY(const Path target, checked_path(path));
    TRY(Entry entry, entry_of(root_.get(), target.c_str(), shown(path)));
    entry.name = target.filename().string();
    return entry;
  }

  Status restrict_to_owner(const Path& path) override {
    TRY(const Path target, checked_path(path));
    TRY(const Entry entry, entry_of(root_.get(), target.c_str(), shown(path)));
    if (::fchmodat(root_.get(), target.c_str(), entry.is_directory ? 0700 : 0600, 0) != 0)
      return disk_error(errno, "restrict", shown(path));
    return Done{};
  }

  Result<uint64_t> free_bytes() override {
    struct statvfs status{};
    if (::fstatvfs(root_.get(), &status) != 0) return disk_error(errno, "look at", ".");
    return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
  }

  Path absolute(const Path& path) const override {
    return path.is_absolute() ? path : (root_path_ / path).lexically_normal();
  }

 private:
  Result<Descriptor> open_file(const Path& path, int flags, std::string_view verb) const {
    TRY(const Path target, checked_path(path));
    while (true) {
      Descriptor descriptor(::openat(root_.get(), target.c_str(), flags | O_CLOEXEC, file_mode));
      if (!descriptor.open() && errno == EINTR) continue;
      if (!descriptor.open()) return disk_error(errno, verb, shown(path));
      return descriptor;
    }
  }

  Result<Descriptor> open_to_read(const Path& path) const {
    TRY(Descriptor descriptor, open_file(path, O_RDONLY, "open"));
    TRY(const Entry entry, entry_of(descriptor.get(), "", shown(path)));
    if (entry.is_directory) return disk_error(EISDIR, "open", shown(path));
    return descriptor;
  }

  // As messages name it: below the root, which they do not tell; the machine's own root hides nothing.
  std::string shown(const Path& path) const {
    return root_path_ == "/" && path.is_relative() ? "/" + path.string() : shown_name(path);
  }

  // An empty path: the descriptor itself.
  static Result<Entry> entry_of(int directory, const char* path, const std::string& name) {
    struct stat status{};
    if (::fstatat(directory, path, &status, *path == '\0' ? AT_EMPTY_PATH : 0) != 0)
      return disk_error(errno, "look at", name);
    const bool is_directory = S_ISDIR(status.st_mode);
    return Entry{name, is_directory, is_directory ? 0 : static_cast<uint64_t>(status.st_size)};
  }

  Descriptor root_;  // Every relative path starts here, also if the folder is renamed while we run.
  Path root_path_;
};

}  // namespace

Result<std::unique_ptr<Disk>> open_posix_disk(const Path& root) {
  std::error_code error;
  const Path absolute = std::filesystem::absolute(root, error);
  if (!error) std::filesystem::create_directories(absolute, error);
  if (error) return disk_error(error.value(), "make", root.filename().string());
  Descriptor descriptor(::open(absolute.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.open()) return disk_error(errno, "open", root.filename().string());
  return std::unique_ptr<Disk>(std::make_unique<PosixDisk>(std::move(descriptor), absolute));
}

}  // namespace holdfast::io
