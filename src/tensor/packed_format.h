#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "tensor/linear.h"
#include "tensor/precision.h"

// docs/formats/packed-layers.md
namespace holdfast::tensor {

constexpr std::string_view packed_magic = "HFPACKED";
constexpr uint32_t packed_version = 3;
constexpr size_t packed_alignment = 64;  // Of every layer's numbers within the file: a cache line.
constexpr size_t packed_head_bytes = 64;
constexpr size_t packed_layers_max = 1 << 20, packed_name_bytes_max = 4096;
constexpr uint64_t packed_side_max = uint64_t{1} << 31;  // Of outputs and inputs.

struct PackedEntry {
  std::string name;
  LinearShape shape;
  Precision precision = Precision::f32;
  uint64_t offset = 0, numbers = 0;  // Bytes from the file's start; numbers of four bytes.
};

// The layers of a file; corrupt unless it is of this version, of `key`, whole and within itself.
Result<std::vector<PackedEntry>> read_packed_table(ByteView file, std::string_view key);

// What ends a file whose numbers stand before `table_at`, and what then begins it: packed_head_bytes.
struct PackedEnds {
  Bytes head, table;
};
PackedEnds write_packed_ends(const std::vector<PackedEntry>& entries, uint64_t table_at,
                             std::string_view key);

}  // namespace holdfast::tensor
