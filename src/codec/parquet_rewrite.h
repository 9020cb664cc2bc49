#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/parquet.h"

namespace holdfast::codec {

// Changes values in place; true when it changed one. Texts stay texts and numbers numbers, where they do not
// become missing: which they may if the column is `optional`. What is missing stays so.
using ParquetChange = std::function<bool(ParquetLeafValues& column)>;

struct ParquetRewrite {
  std::string file{};                   // Empty where nothing was changed.
  std::vector<ParquetLeft> left_out{};  // Columns that cannot be read; they keep their bytes.
};

// A Parquet file with other values in some columns, nested ones too. Those are written plain and
// uncompressed, without statistics; all other columns keep their bytes, and the schema and notes stay.
// Indexes of pages and Bloom filters are dropped, since they hold values. Errors as read_parquet's.
Result<ParquetRewrite> rewrite_parquet(ByteView file, const ParquetChange& change,
                                       const ParquetLimits& limits = {});

}  // namespace holdfast::codec
