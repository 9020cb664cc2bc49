#include "cli/user_files.h"

#include <filesystem>

namespace holdfast::cli {

Result<UserFiles> UserFiles::open() {
  TRY(std::unique_ptr<io::Disk> disk, io::open_posix_disk("/"));
  return UserFiles(std::move(disk));
}

io::Path UserFiles::path(std::string_view named) const {
  std::error_code ignored;
  return std::filesystem::absolute(named, ignored).lexically_normal().relative_path();
}

Result<std::string> UserFiles::read(std::string_view named, uint64_t bytes_max) {
  return io::read_text(*disk_, path(named), bytes_max);
}

Status UserFiles::write(std::string_view named, std::string_view text) {
  return io::publish_text(*disk_, path(named), text);
}

}  // namespace holdfast::cli
