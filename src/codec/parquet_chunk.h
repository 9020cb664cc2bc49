#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/parquet.h"
#include "codec/parquet_header.h"

namespace holdfast::codec {

// What one leaf of the schema holds, an entry after the other. Leaves that are not nested have one entry a
// row and no levels; of nested ones an entry is a value, a missing one, or what stands for an empty list.
struct ParquetEntries {
  std::vector<ParquetValue> values{};
  std::vector<uint8_t> repetition{}, definition{};
};

// Adds the entries of one chunk, whose row group has `rows` rows. `bytes_left` of memory are taken at most.
// Errors as read_parquet's, corrupt for what is broken.
Status read_parquet_chunk(ByteView file, const ParquetLeaf& leaf, const ParquetChunk& chunk, uint64_t rows,
                          uint64_t& bytes_left, ParquetEntries& into);

// All entries of one leaf. What it says is why they cannot be read; too much of them is an error.
Result<std::optional<std::string>> read_parquet_leaf(ByteView file, const ParquetFile& known, size_t leaf,
                                                     uint64_t& bytes_left, ParquetEntries& into);

// The entries as those who look at columns see them; takes the values.
ParquetLeafValues values_of_leaf(const ParquetLeaf& leaf, ParquetEntries& entries);

}  // namespace holdfast::codec
