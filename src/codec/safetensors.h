#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/dtype.h"

namespace holdfast::codec {

// The safetensors file format; docs/formats/safetensors.md states it and how we differ from the reference
// library. A file is u64 header length, header (JSON), data.
inline constexpr uint64_t safetensors_header_bytes_max = 25'000'000;
inline constexpr size_t safetensors_rank_max = 64;

// One tensor of a file. Offsets count from the first data byte.
struct SafetensorsEntry {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<uint64_t> shape;  // Empty: a scalar.
  uint64_t begin = 0, end = 0;

  uint64_t elements() const;
};

// A checked header: entries lie one after the other, without hole or overlap, from 0 to data_bytes.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;                      // In the order of their data.
  std::vector<std::pair<std::string, std::string>> metadata;  // In the file's order.
  uint64_t data_offset = 0;                                   // Of the first data byte in the file.
  uint64_t data_bytes = 0;

  const SafetensorsEntry* find(std::string_view name) const;  // Null when there is none. Linear.
};

// How many bytes of the file are needed before parse_safetensors_header can run, from its first 8 bytes.
Result<uint64_t> safetensors_prefix_bytes(ByteView first_bytes);

// Reads the header from a prefix of the file. Where the file's size is known it must be exactly what the
// header says. Errors are bad_request with a message for the uploader.
Result<SafetensorsHeader> parse_safetensors_header(ByteView prefix, std::optional<uint64_t> file_bytes);

// Elements by type name, as the hub shows them: {"F32": 22713216}. Sorted by name.
std::vector<std::pair<std::string_view, uint64_t>> parameters_by_dtype(const SafetensorsHeader& header);

// A tensor to be written; borrows its bytes.
struct SafetensorsTensor {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<uint64_t> shape;
  ByteView bytes;
};

// The whole file. Same input, same bytes: tensors are laid out by falling alignment, then by name, as the
// reference library does; the header is padded with spaces to a multiple of 8.
Result<Bytes> write_safetensors(std::span<const SafetensorsTensor> tensors,
                                std::span<const std::pair<std::string, std::string>> metadata = {});

}  // namespace holdfast::codec
