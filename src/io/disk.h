#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::io {

using Path = std::filesystem::path;

// A file open for reading. Safe from any thread; positions are given, none is kept.
class ReadFile {
 public:
  virtual ~ReadFile() = default;
  virtual Result<uint64_t> size() const = 0;
  // Fills `into` from `offset`; fewer bytes only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const = 0;
  // A descriptor for sendfile and mmap, or -1 where there is none (the in-memory disk).
  virtual int descriptor() const = 0;
};

// A file being written, by one thread at a time. Nothing is durable before `sync` returns.
class WriteFile {
 public:
  virtual ~WriteFile() = default;
  virtual Status append(ByteView bytes) = 0;
  virtual Status write_at(uint64_t offset, ByteView bytes) = 0;
  virtual Status truncate(uint64_t size) = 0;
  virtual Status sync() = 0;
  virtual uint64_t size() const = 0;  // As appended so far.
};

// The file's bytes in memory, read only; unmapped on destruction. Pages are shared between processes.
class MappedFile {
 public:
  virtual ~MappedFile() = default;
  virtual ByteView bytes() const = 0;
  // For bytes that are read again and again and have all been read once: moves what the system keeps in small
  // pages into huge ones of this process's own, where it has any. Beside any reader; the addresses stay.
  // Gives the bytes that moved, which from then on nobody else's writing changes.
  virtual size_t settle() { return 0; }
};

struct Entry {
  std::string name;
  bool is_directory = false;
  uint64_t size = 0;
};

// The file system as the program sees it; paths are absolute or relative to the disk's root. Safe from any
// thread. Errors: not_found, already_exists (conflict), disk_full (ENOSPC, EDQUOT), internal otherwise;
// messages carry the file's name relative to the root and never the root. A file is published durably in this
// order: create (under a temporary name), append…, sync, rename, sync_directory.
class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<ReadFile>> open(const Path& path) = 0;
  virtual Result<std::unique_ptr<MappedFile>> map(const Path& path) = 0;
  virtual Result<std::unique_ptr<WriteFile>> create(const Path& path) = 0;       // Fails when it exists.
  virtual Result<std::unique_ptr<WriteFile>> open_append(const Path& path) = 0;  // Creates it when missing.
  virtual Status rename(const Path& from, const Path& to) = 0;                   // Replaces atomically.
  virtual Status remove(const Path& path) = 0;            // A file; missing is not_found.
  virtual Status remove_tree(const Path& path) = 0;       // Missing is fine.
  virtual Status make_directories(const Path& path) = 0;  // Durable: parents are synced.
  virtual Status sync_directory(const Path& path) = 0;
  virtual Result<std::vector<Entry>> list(const Path& path) = 0;  // Sorted by name; not_found when missing.
  virtual Result<Entry> stat(const Path& path) = 0;
  // Mode 0600, of a folder 0700: for secrets.
  virtual Status restrict_to_owner(const Path& path) = 0;
  virtual Result<uint64_t> free_bytes() = 0;
  virtual Path absolute(const Path& path) const = 0;  // For git and child processes.
};

// Everything below `root`, which is created when missing. Only io/ itself talks to the kernel about files.
Result<std::unique_ptr<Disk>> open_posix_disk(const Path& root);
// In memory, for tests and simulation.
std::unique_ptr<Disk> make_memory_disk();

// Reads a whole file of at most `bytes_max`; more is too_large.
Result<std::string> read_text(Disk& disk, const Path& path, uint64_t bytes_max);
// Publishes `text` at `path` in the order above; `path` shows the old or the new text, never half.
Status publish_text(Disk& disk, const Path& path, std::string_view text);

}  // namespace holdfast::io
