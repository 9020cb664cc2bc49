#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/disk.h"

namespace holdfast::cli {

// The files a person names on the command line: anywhere on the machine, relative to the working folder. Owns
// its disk.
class UserFiles {
 public:
  static Result<UserFiles> open();

  io::Disk& disk() { return *disk_; }
  io::Path path(std::string_view named) const;  // As `disk` wants it.
  Result<std::string> read(std::string_view named, uint64_t bytes_max);
  Status write(std::string_view named, std::string_view text);  // Replaces it.

 private:
  explicit UserFiles(std::unique_ptr<io::Disk> disk) : disk_(std::move(disk)) {}
  std::unique_ptr<io::Disk> disk_;
};

}  // namespace holdfast::cli
