#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::measure {

enum class DataFormat : uint8_t { json_lines, parquet, csv };

struct DataFile {
  std::string path;  // Below the data folder.
  DataFormat format = DataFormat::json_lines;
};

// The files of a split among `paths`, in order: SPLIT.jsonl, .parquet or .csv, or the parts
// SPLIT-00000-of-00002.parquet and so on, as `datasets` pushes them; in the folder itself or in data/. The
// first format that is there counts, in this order: Parquet, JSON lines, CSV. entry_not_found where there is
// none, bad_request where parts are missing.
Result<std::vector<DataFile>> files_of_split(std::span<const std::string> paths, std::string_view split);

}  // namespace holdfast::measure
