#pragma once

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace holdfast::codec {

using ParquetValue = std::variant<std::monostate, bool, int64_t, double, std::string>;

struct ParquetColumn {
  std::string name;
  std::vector<ParquetValue> values;  // One a row.
};

struct ParquetTable {
  size_t rows = 0;
  std::vector<ParquetColumn> columns;
  std::vector<std::string> left_out;         // Columns that are nested, decimal or of old timestamps.
  std::map<std::string, std::string> notes;  // Key-value metadata: "huggingface" is what `datasets` leaves.
};

struct ParquetLimits {
  uint64_t rows_max = 5'000'000;
  uint64_t bytes_max = uint64_t{1} << 30;  // Of all values, unpacked.
};

// A Parquet file of flat columns, as `datasets`, pyarrow, pandas and DuckDB write them by default: PLAIN and
// dictionary encodings, pages of both versions, uncompressed or by Snappy, zstd or gzip. Files of other
// encodings are refused by name. bad_request for what is broken, body_too_large beyond the limits.
Result<ParquetTable> read_parquet(ByteView file, const ParquetLimits& limits = {});

}  // namespace holdfast::codec
