#pragma once

#include "scan/finding.h"
#include "scan/source.h"

namespace holdfast::scan {

bool has_parquet_magic(ByteView head);

// Looks through the columns of texts of a Parquet file for personal data and secrets; `member` of a place is
// the column, `line` the row, from 1. A note where a file is larger than `bytes_max`, or cannot be read.
Status check_parquet(Source& source, const Place& place, uint64_t bytes_max, FileReport& report);

}  // namespace holdfast::scan
