#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "codec/gguf.h"
#include "tensor/linear.h"
#include "tensor/precision.h"

// docs/formats/packed-layers.md
namespace holdfast::tensor {

constexpr std::string_view packed_magic = "HFPACKED";
constexpr uint32_t packed_version = 4;
constexpr size_t packed_alignment = 64;  // Of every layer's numbers within the file: a cache line.
constexpr size_t packed_head_bytes = 64;
constexpr size_t packed_layers_max = 1 << 20, packed_name_bytes_max = 4096;
constexpr uint64_t packed_side_max = uint64_t{1} << 31;  // Of outputs and inputs.

// What a layer's numbers mean.
struct PackedForm {
  LinearShape shape;
  Precision precision = Precision::f32;
  std::optional<codec::GgmlType> blocks;  // The type of weights that stay in their blocks.

  bool operator==(const PackedForm&) const = default;
};

struct PackedEntry {
  std::string name;
  PackedForm form;
  uint64_t offset = 0, numbers = 0;  // Bytes from the file's start; numbers of four bytes.
  uint64_t sum = 0;                  // packed_sum of them.
};

// Tells numbers from others by accident, at the speed of memory: pages of a file that were lost, cut or
// turned.
uint64_t packed_sum(ByteView numbers);

// The layers of a file; corrupt unless it is of this version, of `key`, whole and within itself, and its
// numbers are those that were written.
Result<std::vector<PackedEntry>> read_packed_table(ByteView file, std::string_view key);

// What ends a file whose numbers stand before `table_at`, and what then begins it: packed_head_bytes.
struct PackedEnds {
  Bytes head, table;
};
PackedEnds write_packed_ends(const std::vector<PackedEntry>& entries, uint64_t table_at,
                             std::string_view key);

}  // namespace holdfast::tensor
