#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "io/disk.h"

// What the kernel is asked about one open file. For io/ only.
namespace holdfast::io {

// A descriptor, closed on destruction.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// The error that errno means, for "cannot VERB 'NAME'".
Error disk_error(int error_number, std::string_view verb, std::string_view name,
                 std::source_location where = std::source_location::current());

// `name` is what messages call the file.
std::unique_ptr<ReadFile> make_posix_read_file(Descriptor descriptor, std::string name);
std::unique_ptr<WriteFile> make_posix_write_file(Descriptor descriptor, uint64_t size, std::string name);
Result<std::unique_ptr<MappedFile>> map_descriptor(const Descriptor& descriptor, std::string_view name);

}  // namespace holdfast::io
