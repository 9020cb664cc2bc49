// A Parquet file of anybody: read whole or refused, within its limits.
#include <cstdint>

#include "base/check.h"
#include "codec/parquet_rewrite.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const codec::ParquetLimits limits{.rows_max = 10'000, .bytes_max = 1 << 20};
  // Nested columns, too, and written again as they are.
  const auto look = [](codec::ParquetLeafValues& leaf) {
    CHECK(leaf.rows.empty() || leaf.rows.size() == leaf.values.size());
    return leaf.kind != codec::ParquetKind::truth;
  };
  const auto rewritten = codec::rewrite_parquet(std::as_bytes(std::span(data, size)), look, limits);
  if (rewritten.ok() && !rewritten.value().file.empty()) {
    const auto again = codec::look_at_parquet(as_bytes(rewritten.value().file), [](const auto&) {}, limits);
    CHECK(again.ok());
  }
  const auto table = codec::read_parquet(std::as_bytes(std::span(data, size)), limits);
  if (!table.ok()) return 0;
  CHECK(table.value().rows <= limits.rows_max);
  for (const codec::ParquetColumn& column : table.value().columns)
    CHECK(column.values.size() == table.value().rows);
  return 0;
}
