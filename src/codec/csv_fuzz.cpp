// Any text: rows of one length, or refused.
#include <cstdint>

#include "base/check.h"
#include "codec/csv.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rows = holdfast::codec::parse_csv(text, {.rows_max = 1000, .columns_max = 100});
  if (!rows.ok()) return 0;
  for (const auto& row : rows.value()) CHECK(row.size() == rows.value().front().size());
  return 0;
}
