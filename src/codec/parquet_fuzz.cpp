// A Parquet file of anybody: read whole or refused, within its limits.
#include <cstdint>

#include "base/check.h"
#include "codec/parquet.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const codec::ParquetLimits limits{.rows_max = 10'000, .bytes_max = 1 << 20};
  const auto table = codec::read_parquet(std::as_bytes(std::span(data, size)), limits);
  if (!table.ok()) return 0;
  CHECK(table.value().rows <= limits.rows_max);
  for (const codec::ParquetColumn& column : table.value().columns)
    CHECK(column.values.size() == table.value().rows);
  return 0;
}
