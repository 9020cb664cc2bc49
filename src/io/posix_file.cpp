#include "io/posix_file.h"

#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/check.h"
#include "io/huge_pages.h"

namespace holdfast::io {
namespace {

constexpr size_t step_bytes_max = 1 << 30;  // Linux moves at most 2 GiB a call.

Result<uint64_t> size_of(const Descriptor& descriptor, std::string_view name) {
  struct stat status{};
  if (::fstat(descriptor.get(), &status) != 0) return disk_error(errno, "look at", name);
  return static_cast<uint64_t>(status.st_size);
}

class PosixReadFile final : public ReadFile {
 public:
  PosixReadFile(Descriptor descriptor, std::string name)
      : descriptor_(std::move(descriptor)), name_(std::move(name)) {}

  Result<uint64_t> size() const override { return size_of(descriptor_, name_); }

  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) const override {
    size_t filled = 0;
    while (filled < into.size()) {
      const size_t step = std::min(into.size() - filled, step_bytes_max);
      const ssize_t got =
          ::pread(descriptor_.get(), into.data() + filled, step, static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return disk_error(errno, "read", name_);
      if (got == 0) break;
      filled += static_cast<size_t>(got);
    }
    return filled;
  }

  int descriptor() const override { return descriptor_.get(); }

 private:
  Descriptor descriptor_;
  std::string name_;
};

class PosixWriteFile final : public WriteFile {
 public:
  PosixWriteFile(Descriptor descriptor, uint64_t size, std::string name)
      : descriptor_(std::move(descriptor)), size_(size), name_(std::move(name)) {}

  Status append(ByteView bytes) override { return write_at(size_, bytes); }

  Status write_at(uint64_t offset, ByteView bytes) override {
    while (!bytes.empty()) {
      const size_t step = std::min(bytes.size(), step_bytes_max);
      const ssize_t put = ::pwrite(descriptor_.get(), bytes.data(), step, static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return disk_error(errno, "write", name_);
      offset += static_cast<uint64_t>(put);
      size_ = std::max(size_, offset);
      bytes = bytes.subspan(static_cast<size_t>(put));
    }
    return Done{};
  }

  Status truncate(uint64_t size) override {
    int outcome = 0;
    do outcome = ::ftruncate(descriptor_.get(), static_cast<off_t>(size));
    while (outcome != 0 && errno == EINTR);
    if (outcome != 0) return disk_error(errno, "truncate", name_);
    size_ = size;
    return Done{};
  }

  // After a failed fdatasync the kernel may have dropped the pages and would report success the next time, so
  // the file is never called durable again.
  Status sync() override {
    if (sync_failed_)
      return fail(Code::internal, fmt::format("'{}' could not be made durable before", name_));
    int outcome = 0;
    do outcome = ::fdatasync(descriptor_.get());
    while (outcome != 0 && errno == EINTR);
    if (outcome == 0) return Done{};
    sync_failed_ = true;
    return disk_error(errno, "sync", name_);
  }

  uint64_t size() const override { return size_; }

 private:
  Descriptor descriptor_;
  uint64_t size_;
  std::string name_;
  bool sync_failed_ = false;
};

class PosixMappedFile final : public MappedFile {
 public:
  PosixMappedFile(void* at, size_t size) : at_(at), size_(size) {}
  ~PosixMappedFile() override { CHECK(::munmap(at_, size_) == 0); }
  PosixMappedFile(const PosixMappedFile&) = delete;
  PosixMappedFile& operator=(const PosixMappedFile&) = delete;

  ByteView bytes() const override { return {static_cast<const std::byte*>(at_), size_}; }
  size_t settle() override { return move_into_huge_pages(bytes()); }

 private:
  void* at_;
  size_t size_;
};

class EmptyMappedFile final : public MappedFile {
 public:
  ByteView bytes() const override { return {}; }
};

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Error disk_error(int error_number, std::string_view verb, std::string_view name, std::source_location where) {
  std::string message = fmt::format("cannot {} '{}': {}", verb, name,
                                    std::error_code(error_number, std::generic_category()).message());
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return fail(Code::not_found, std::move(message), where);
    case EEXIST:
    case ENOTEMPTY:
      return fail(Reason::already_exists, std::move(message), where);
    case ENOSPC:
    case EDQUOT:
      // This one reaches remote callers, who must not learn how our files are named.
      return fail(Reason::disk_full, "the server's disk is full", where);
    case ENAMETOOLONG:
      return fail(Reason::bad_request, std::move(message), where);
    default:
      return fail(Code::internal, std::move(message), where);
  }
}

std::unique_ptr<ReadFile> make_posix_read_file(Descriptor descriptor, std::string name) {
  return std::make_unique<PosixReadFile>(std::move(descriptor), std::move(name));
}

std::unique_ptr<WriteFile> make_posix_write_file(Descriptor descriptor, uint64_t size, std::string name) {
  return std::make_unique<PosixWriteFile>(std::move(descriptor), size, std::move(name));
}

Result<std::unique_ptr<MappedFile>> map_descriptor(const Descriptor& descriptor, std::string_view name) {
  TRY(const uint64_t size, size_of(descriptor, name));
  if (size == 0) return std::unique_ptr<MappedFile>(std::make_unique<EmptyMappedFile>());
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, descriptor.get(), 0);
  if (at == MAP_FAILED) return disk_error(errno, "map", name);
  return std::unique_ptr<MappedFile>(std::make_unique<PosixMappedFile>(at, size));
}

}  // namespace holdfast::io
