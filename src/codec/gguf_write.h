#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/gguf.h"

namespace holdfast::codec {

// A tensor of a file to be written: its bytes are asked for when their turn comes, so that one is in memory
// at a time.
struct GgufTensorOut {
  std::string name;
  GgmlType type = GgmlType::f32;
  std::vector<uint64_t> dimensions;  // Fastest first.
};

// One entry of metadata: a whole number below zero is an i64, above it a u64 or, where `narrow`, a u32 or
// i32, and a double an f32 then; arrays are written as they were read.
struct GgufEntry {
  std::string key;
  GgufValue value;
  enum class Width : uint8_t { narrow, wide } width = Width::narrow;
};

// Header, metadata and tensor table of a version 3 file, padded to where the data begin; and how long each
// tensor's data are with the padding behind them. bad_request for names that repeat or are too long,
// dimensions that are none, rows that are no whole blocks.
struct GgufHead {
  Bytes bytes;
  std::vector<uint64_t> data_bytes, padded_bytes;  // Of each tensor.
};
Result<GgufHead> write_gguf_head(std::span<const GgufEntry> entries, std::span<const GgufTensorOut> tensors);

}  // namespace holdfast::codec
