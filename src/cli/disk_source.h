#pragma once

#include <memory>

#include "io/disk.h"
#include "scan/source.h"

namespace holdfast::cli {

// A file of a disk as the scanner reads it. Owns the file.
class DiskSource final : public scan::Source {
 public:
  DiskSource(std::unique_ptr<io::ReadFile> file, uint64_t size) : file_(std::move(file)), size_(size) {}
  uint64_t size() const override { return size_; }
  Result<size_t> read_at(uint64_t offset, std::span<std::byte> into) override {
    return file_->read_at(offset, into);
  }

 private:
  std::unique_ptr<io::ReadFile> file_;
  const uint64_t size_;
};

}  // namespace holdfast::cli
