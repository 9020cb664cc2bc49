// See README.md. Everything here runs inside other people's programs: raw system calls only, no exceptions,
// one lock.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace {

using FileId = std::pair<dev_t, ino_t>;

struct ByteUndo {
  off_t offset;
  std::string old_bytes;  // What stood there; shorter than the write where the file was shorter.
  off_t old_size;
};
struct FileUndo {
  int fd = -1;  // A descriptor of our own, so that the file can be put back after its owner closed it.
  std::vector<ByteUndo> steps;
};
enum class Move { created, renamed, removed, made_directory };
struct NameUndo {
  Move move;
  std::string from, to, kept;  // `kept`: a second link to what was replaced or removed.
};

struct State {
  std::recursive_mutex mutex;  // Guards everything below.
  std::string root, full_file, eio_file, cut_file;
  bool short_writes = false, strict_directories = false;
  long cut_sync = 0, syncs = 0, links = 0;
  std::map<FileId, FileUndo> files;
  std::map<FileId, std::vector<NameUndo>> names;  // By directory.
};

std::string variable(const char* name) {
  const char* value = getenv(name);
  return value != nullptr ? value : "";
}

State& state() {
  static State* only = [] {
    auto* made = new State;  // Never destroyed: calls come until the process ends.
    made->root = variable("HOLDFAST_FAULT_ROOT");
    made->full_file = variable("HOLDFAST_FAULT_FULL_FILE");
    made->eio_file = variable("HOLDFAST_FAULT_EIO_FILE");
    made->cut_file = variable("HOLDFAST_FAULT_CUT_FILE");
    made->short_writes = !variable("HOLDFAST_FAULT_SHORT").empty();
    made->strict_directories = variable("HOLDFAST_FAULT_DIRECTORIES") == "strict";
    made->cut_sync = atol(variable("HOLDFAST_FAULT_CUT_SYNC").c_str());
    return made;
  }();
  return *only;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

bool exists(const std::string& path) { return !path.empty() && syscall(SYS_access, path.c_str(), F_OK) == 0; }

bool below_root(const std::string& path) {
  const std::string& root = state().root;
  return !root.empty() && path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

std::string path_of(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = syscall(SYS_readlink, link, path, sizeof path);
  return length > 0 ? std::string(path, static_cast<size_t>(length)) : "";
}

std::string absolute(int folder, const char* path) {
  if (path == nullptr) return "";
  if (path[0] == '/') return path;
  char here[PATH_MAX];
  const std::string base =
      folder == AT_FDCWD ? (getcwd(here, sizeof here) != nullptr ? here : "") : path_of(folder);
  return base + "/" + path;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

bool identify(int fd, FileId& id, mode_t& mode, off_t& size) {
  struct stat facts;
  if (fstat(fd, &facts) != 0) return false;
  id = {facts.st_dev, facts.st_ino};
  mode = facts.st_mode;
  size = facts.st_size;
  return true;
}

bool identify_path(const std::string& path, FileId& id) {
  struct stat facts;
  if (stat(path.c_str(), &facts) != 0) return false;
  id = {facts.st_dev, facts.st_ino};
  return true;
}

void put_file_back(FileUndo& undo) {
  for (auto step = undo.steps.rbegin(); step != undo.steps.rend(); ++step) {
    syscall(SYS_pwrite64, undo.fd, step->old_bytes.data(), step->old_bytes.size(), step->offset);
    syscall(SYS_ftruncate, undo.fd, step->old_size);
  }
}

void put_name_back(const NameUndo& undo) {
  switch (undo.move) {
    case Move::created:
      syscall(SYS_unlink, undo.to.c_str());
      return;
    case Move::made_directory:
      syscall(SYS_rmdir, undo.to.c_str());
      return;
    case Move::removed:
      syscall(SYS_rename, undo.kept.c_str(), undo.to.c_str());
      return;
    case Move::renamed:
      syscall(SYS_rename, undo.to.c_str(), undo.from.c_str());
      if (!undo.kept.empty()) syscall(SYS_rename, undo.kept.c_str(), undo.to.c_str());
      return;
  }
}

[[noreturn]] void cut_power() {
  State& all = state();
  for (auto& [id, undo] : all.files) put_file_back(undo);
  if (all.strict_directories)
    for (auto& [id, undos] : all.names)
      for (auto undo = undos.rbegin(); undo != undos.rend(); ++undo) put_name_back(*undo);
  kill(0, SIGKILL);
  for (;;) pause();
}

void cut_if_asked() {
  if (exists(state().cut_file)) cut_power();
}

// Remembers what a write is about to replace. False: not ours to watch.
bool watch(int fd, FileUndo*& undo, off_t& size) {
  FileId id;
  mode_t mode;
  if (!identify(fd, id, mode, size) || !S_ISREG(mode) || !below_root(path_of(fd))) return false;
  undo = &state().files[id];
  if (undo->fd < 0) {
    const std::string again = "/proc/self/fd/" + std::to_string(fd);
    undo->fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, again.c_str(), O_RDWR | O_CLOEXEC, 0));
    if (undo->fd < 0) state().files.erase(id);
    if (state().files.find(id) == state().files.end()) return false;
  }
  return true;
}

void remember(FileUndo& undo, off_t offset, size_t length, off_t size) {
  ByteUndo step{offset, {}, size};
  if (offset < size) {
    step.old_bytes.resize(std::min(length, static_cast<size_t>(size - offset)));
    const ssize_t got = syscall(SYS_pread64, undo.fd, step.old_bytes.data(), step.old_bytes.size(), offset);
    step.old_bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  }
  undo.steps.push_back(std::move(step));
}

void forget(int fd) {
  FileId id;
  mode_t mode;
  off_t size;
  if (!identify(fd, id, mode, size)) return;
  if (S_ISDIR(mode)) {
    for (const NameUndo& undo : state().names[id])
      if (!undo.kept.empty()) syscall(SYS_unlink, undo.kept.c_str());
    state().names.erase(id);
    return;
  }
  const auto found = state().files.find(id);
  if (found == state().files.end()) return;
  syscall(SYS_close, found->second.fd);
  state().files.erase(found);
}

void note_name(const std::string& path, NameUndo undo) {
  FileId folder;
  if (state().strict_directories && below_root(path) && identify_path(parent_of(path), folder))
    state().names[folder].push_back(std::move(undo));
}

// A second link to `path`, so that removing or replacing it can be undone. Empty where there is nothing to
// keep.
std::string keep(const std::string& path) {
  if (!state().strict_directories || !below_root(path) || !exists(path)) return "";
  const std::string kept =
      state().root + "/.kept-" + std::to_string(getpid()) + "-" + std::to_string(++state().links);
  return syscall(SYS_link, path.c_str(), kept.c_str()) == 0 ? kept : "";
}

// What every write goes through: 0 to go on, else the errno to answer with. Shortens `length`.
int before_write(int fd, off_t offset, size_t& length) {
  State& all = state();
  FileUndo* undo = nullptr;
  off_t size = 0;
  if (all.root.empty() || !watch(fd, undo, size)) return 0;
  cut_if_asked();
  if (exists(all.full_file)) return ENOSPC;
  if (exists(all.eio_file)) return EIO;
  if (all.short_writes && length >= 2) length /= 2;
  remember(*undo, offset < 0 ? size : offset, length, size);
  return 0;
}

off_t position(int fd) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && (flags & O_APPEND) != 0 ? -1 : lseek(fd, 0, SEEK_CUR);
}

int sync_file(int fd, const char* name) {
  State& all = state();
  std::lock_guard lock(all.mutex);
  const bool ours = !all.root.empty() && below_root(path_of(fd));
  if (ours) {
    cut_if_asked();
    if (all.cut_sync > 0 && ++all.syncs == all.cut_sync) cut_power();
    if (exists(all.eio_file)) return errno = EIO, -1;
  }
  const int outcome = next<int(int)>(name)(fd);
  if (ours && outcome == 0) forget(fd);
  return outcome;
}

int open_file(const char* name, int folder, const char* path, int flags, mode_t mode) {
  State& all = state();
  std::lock_guard lock(all.mutex);
  const std::string whole = absolute(folder, path);
  const bool ours = below_root(whole);
  const bool was_there = ours && exists(whole);
  if (ours && (flags & O_CREAT) != 0 && !was_there) {
    cut_if_asked();
    if (exists(all.full_file)) return errno = ENOSPC, -1;
  }
  if (ours && was_there && (flags & O_TRUNC) != 0) {
    const int fd = static_cast<int>(syscall(SYS_openat, AT_FDCWD, whole.c_str(), O_RDWR | O_CLOEXEC, 0));
    FileUndo* undo = nullptr;
    off_t size = 0;
    if (fd >= 0 && watch(fd, undo, size)) remember(*undo, 0, static_cast<size_t>(size), size);
    if (fd >= 0) syscall(SYS_close, fd);
  }
  const int fd = next<int(int, const char*, int, ...)>(name)(folder, path, flags, mode);
  if (fd >= 0 && ours && !was_there && (flags & O_CREAT) != 0 && (flags & O_TMPFILE) != O_TMPFILE)
    note_name(whole, {Move::created, "", whole, ""});
  return fd;
}

ssize_t write_bytes(int fd, const void* bytes, size_t length, off_t offset, bool at_offset) {
  std::lock_guard lock(state().mutex);
  const int refused = before_write(fd, at_offset ? offset : position(fd), length);
  if (refused != 0) return errno = refused, -1;
  return at_offset ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
}

int rename_file(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  std::lock_guard lock(state().mutex);
  const std::string old_path = absolute(from_folder, from), new_path = absolute(to_folder, to);
  if (below_root(new_path)) cut_if_asked();
  const std::string kept = keep(new_path);
  const int outcome = static_cast<int>(syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
  if (outcome == 0) note_name(new_path, {Move::renamed, old_path, new_path, kept});
  return outcome;
}

int remove_file(int folder, const char* path, int flags) {
  std::lock_guard lock(state().mutex);
  const std::string whole = absolute(folder, path);
  if (below_root(whole)) cut_if_asked();
  const std::string kept = (flags & AT_REMOVEDIR) != 0 ? "" : keep(whole);
  const int outcome = static_cast<int>(syscall(SYS_unlinkat, folder, path, flags));
  if (outcome == 0 && !kept.empty()) note_name(whole, {Move::removed, "", whole, kept});
  return outcome;
}

mode_t mode_argument(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t length) { return write_bytes(fd, bytes, length, 0, false); }
ssize_t pwrite(int fd, const void* bytes, size_t length, off_t offset) {
  return write_bytes(fd, bytes, length, offset, true);
}
ssize_t pwrite64(int fd, const void* bytes, size_t length, off_t offset) {
  return write_bytes(fd, bytes, length, offset, true);
}
ssize_t writev(int fd, const struct iovec* pieces, int count) {
  ssize_t total = 0;
  for (int i = 0; i < count; ++i) {
    if (pieces[i].iov_len == 0) continue;
    const ssize_t wrote = write(fd, pieces[i].iov_base, pieces[i].iov_len);
    if (wrote < 0) return total > 0 ? total : wrote;
    total += wrote;
    if (static_cast<size_t>(wrote) < pieces[i].iov_len) break;
  }
  return total;
}
int ftruncate(int fd, off_t length) {
  std::lock_guard lock(state().mutex);
  FileUndo* undo = nullptr;
  off_t size = 0;
  if (!state().root.empty() && watch(fd, undo, size)) {
    cut_if_asked();
    if (length > size && exists(state().full_file)) return errno = ENOSPC, -1;
    remember(*undo, std::min(length, size), static_cast<size_t>(std::max<off_t>(0, size - length)), size);
  }
  return static_cast<int>(syscall(SYS_ftruncate, fd, length));
}
int ftruncate64(int fd, off_t length) { return ftruncate(fd, length); }
int fallocate(int fd, int mode, off_t offset, off_t length) {
  if (below_root(path_of(fd)) && exists(state().full_file)) return errno = ENOSPC, -1;
  return static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, length));
}
int posix_fallocate(int fd, off_t offset, off_t length) {
  if (below_root(path_of(fd)) && exists(state().full_file)) return ENOSPC;
  return next<int(int, off_t, off_t)>("posix_fallocate")(fd, offset, length);
}
// Callers fall back to plain writes, which are watched.
ssize_t copy_file_range(int, off_t*, int, off_t*, size_t, unsigned) { return errno = ENOSYS, -1; }

int fsync(int fd) { return sync_file(fd, "fsync"); }
int fdatasync(int fd) { return sync_file(fd, "fdatasync"); }

int rename(const char* from, const char* to) { return rename_file(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  return rename_file(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  return rename_file(from_folder, from, to_folder, to, flags);
}
int unlink(const char* path) { return remove_file(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char* path, int flags) { return remove_file(folder, path, flags); }
int link(const char* from, const char* to) {
  std::lock_guard lock(state().mutex);
  const int outcome = static_cast<int>(syscall(SYS_link, from, to));
  const std::string whole = absolute(AT_FDCWD, to);
  if (outcome == 0) note_name(whole, {Move::created, "", whole, ""});
  return outcome;
}
int mkdir(const char* path, mode_t mode) {
  std::lock_guard lock(state().mutex);
  const std::string whole = absolute(AT_FDCWD, path);
  if (below_root(whole) && exists(state().full_file)) return errno = ENOSPC, -1;
  const int outcome = static_cast<int>(syscall(SYS_mkdir, path, mode));
  if (outcome == 0) note_name(whole, {Move::made_directory, "", whole, ""});
  return outcome;
}

int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_file("openat", AT_FDCWD, path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_file("openat64", AT_FDCWD, path, flags, mode);
}
int openat(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_file("openat", folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = mode_argument(flags, arguments);
  va_end(arguments);
  return open_file("openat64", folder, path, flags, mode);
}
int creat(const char* path, mode_t mode) {
  return open_file("openat", AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

}  // extern "C"
