#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace holdfast::codec {

using ParquetValue = std::variant<std::monostate, bool, int64_t, double, std::string>;

// What values of a column mean. Of dates the days since 1970, of moments the named parts of a second since
// then.
enum class ParquetKind : uint8_t {
  text,  // Or bytes of any meaning.
  truth,
  whole,
  real,
  date,
  milliseconds,
  microseconds,
  nanoseconds,
  decimal,     // The digits as a whole number, or as its bytes, most significant first; `scale` of them are
               // behind the point.
  old_moment,  // INT96 as it lies: nanoseconds of the day in 8 bytes, the Julian day in 4.
  other,       // Not read: times of a day.
};

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

// All values of one column, nested ones too, in the order of the rows.
struct ParquetLeafValues {
  std::string path;  // "user.emails": the names, save those that lists and maps put between.
  ParquetKind kind = ParquetKind::text;
  bool optional = false;             // Whether a value may be missing.
  uint32_t length = 0;               // Of every value that is bytes, where all have one.
  uint32_t scale = 0;                // Of decimals.
  std::vector<ParquetValue> values;  // Without one also where a list is empty.
  std::vector<uint32_t> rows;        // Of each value; empty where every row has one.

  uint32_t row_of(size_t value) const { return rows.empty() ? static_cast<uint32_t>(value) : rows[value]; }
};
struct ParquetLeft {
  std::string path, why;
};
// Calls `look` with one column after the other and returns those that cannot be read. Limits are of each
// column.
using ParquetLook = std::function<void(const ParquetLeafValues&)>;
Result<std::vector<ParquetLeft>> look_at_parquet(ByteView file, const ParquetLook& look,
                                                 const ParquetLimits& limits = {});

}  // namespace holdfast::codec
