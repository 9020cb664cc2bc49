#include "io/symlink.h"

#include <fmt/format.h>

namespace holdfast::io {

Status make_symlink(Disk& disk, const Path& target, const Path& path) {
  const Path whole = disk.absolute(path);
  std::error_code error;
  if (std::filesystem::is_symlink(std::filesystem::symlink_status(whole, error)))
    std::filesystem::remove(whole, error);
  std::filesystem::create_symlink(target, whole, error);
  if (!error) return Done{};
  if (error == std::errc::file_exists)
    return fail(Reason::already_exists, fmt::format("{} exists and is no link", path.generic_string()));
  if (error == std::errc::no_space_on_device) return fail(Reason::disk_full, "the disk is full");
  return fail(Code::internal, fmt::format("{} cannot be linked: {}", path.generic_string(), error.message()));
}

Result<Path> read_symlink(Disk& disk, const Path& path) {
  std::error_code error;
  Path target = std::filesystem::read_symlink(disk.absolute(path), error);
  if (error) return fail(Code::not_found, fmt::format("{} is no link", path.generic_string()));
  return target;
}

}  // namespace holdfast::io
