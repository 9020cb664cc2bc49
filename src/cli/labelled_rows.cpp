#include "cli/labelled_rows.h"

#include <string>

namespace holdfast::cli {
namespace {

constexpr uint64_t file_bytes_max = 512 << 20;

}  // namespace

Result<std::vector<LabelledRow>> read_rows(io::Disk& disk, std::string_view split,
                                           const RowColumns& columns) {
  std::vector<std::string> paths;
  for (const std::string folder : {"", "data/"}) {
    auto entries = disk.list(folder.empty() ? "." : "data");
    if (!entries.ok() && entries.error().code == Code::not_found) continue;
    TRY_DONE(entries);
    for (const io::Entry& entry : entries.value())
      if (!entry.is_directory) paths.push_back(folder + entry.name);
  }
  return measure::read_split(paths, split, columns, [&disk](const std::string& path) {
    return io::read_text(disk, path, file_bytes_max);
  });
}

}  // namespace holdfast::cli
