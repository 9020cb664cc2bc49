// Whole small files: configuration, state, keys.
#include <fmt/core.h>

#include <atomic>

#include "io/disk.h"
#include "io/disk_path.h"

namespace holdfast::io {
namespace {

constexpr int attempts_max = 1000;

// A file beside `path` that did not exist; the counter keeps threads apart, O_EXCL processes.
Result<std::pair<Path, std::unique_ptr<WriteFile>>> create_beside(Disk& disk, const Path& path) {
  static std::atomic<uint64_t> counter = 0;
  for (int attempt = 0; attempt < attempts_max; ++attempt) {
    Path temporary = path;
    temporary += fmt::format(".new-{:016x}", ++counter);
    auto file = disk.create(temporary);
    if (file.ok()) return std::pair(std::move(temporary), std::move(file).value());
    if (file.error().reason != Reason::already_exists) return std::move(file).error();
  }
  return fail(Code::internal, fmt::format("too many unfinished copies of '{}'", shown_name(path)));
}

Status write_and_rename(Disk& disk, WriteFile& file, const Path& temporary, const Path& path,
                        std::string_view text) {
  TRY_DONE(file.append(as_bytes(text)));
  TRY_DONE(file.sync());
  return disk.rename(temporary, path);
}

}  // namespace

Result<std::string> read_text(Disk& disk, const Path& path, uint64_t bytes_max) {
  TRY(const auto file, disk.open(path));
  TRY(const uint64_t size, file->size());
  if (size > bytes_max)
    return fail(Code::too_large, fmt::format("'{}' is longer than {} bytes", shown_name(path), bytes_max));
  std::string text(size, '\0');
  TRY(const size_t got, file->read_at(0, std::as_writable_bytes(std::span(text))));
  text.resize(got);
  return text;
}

Status publish_text(Disk& disk, const Path& path, std::string_view text) {
  TRY(auto created, create_beside(disk, path));
  auto& [temporary, file] = created;
  if (auto written = write_and_rename(disk, *file, temporary, path, text); !written.ok()) {
    (void)disk.remove(temporary).ok();  // The first error is the one to tell.
    return written;
  }
  const Path parent = path.parent_path();
  return disk.sync_directory(parent.empty() ? Path(".") : parent);
}

}  // namespace holdfast::io
