#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/parquet.h"

namespace holdfast::codec {

// Changes the values of a column of texts in place; true when it changed one.
// Values are texts or missing.
using ParquetChange = std::function<bool(std::string_view column, std::vector<ParquetValue>& values)>;

struct ParquetRewrite {
  std::string file{};                   // Empty where nothing was changed.
  std::vector<std::string> left_out{};  // Columns that were not looked at: nested ones.
};

// A Parquet file with other texts in some columns. Those are written plain and
// uncompressed, without statistics; all other columns keep their bytes, nested
// ones too, and the schema and notes stay. Indexes of pages and Bloom filters
// are dropped, since they hold values. Errors as read_parquet's.
Result<ParquetRewrite> rewrite_parquet(ByteView file, const ParquetChange& change,
                                       const ParquetLimits& limits = {});

}  // namespace holdfast::codec
