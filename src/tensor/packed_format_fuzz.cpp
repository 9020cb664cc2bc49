// The table of a file of packed layers: read or refused, and numbers lie within the file.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "tensor/packed_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace holdfast;
  const ByteView file = std::as_bytes(std::span(data, size));
  const auto entries = tensor::read_packed_table(file, "key");
  if (!entries.ok()) return 0;
  for (const tensor::PackedEntry& entry : entries.value())
    if (entry.offset > size || entry.numbers * sizeof(float) > size - entry.offset) std::abort();
  return 0;
}
