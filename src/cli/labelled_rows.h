#pragma once

#include <string_view>
#include <vector>

#include "io/disk.h"
#include "measure/labelled_rows.h"

namespace holdfast::cli {

using measure::LabelledRow;
using measure::RowColumns;

// measure::read_split of a data folder.
Result<std::vector<LabelledRow>> read_rows(io::Disk& disk, std::string_view split, const RowColumns& columns);

}  // namespace holdfast::cli
