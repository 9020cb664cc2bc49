#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/gguf.h"
#include "tensor/block_bytes.h"
#include "tensor/block_format.h"

namespace holdfast::tensor {

// Of Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K; nullopt for every other type.
std::optional<BlockFormat> block_format(codec::GgmlType type);
// The same types for products of whole numbers.
std::optional<ByteFormat> byte_format(codec::GgmlType type);

// One row as codes, scales and leasts; `leasts` are zeros where the format has none. The product and sum,
// each rounded once, are the numbers that ggml's own dequantisation gives.
struct BlockRow {
  std::vector<int8_t> codes;          // [inputs]
  std::vector<float> scales, leasts;  // [inputs / group]
  // What the scales and leasts of K types are products of; unspecified for the others.
  std::vector<int8_t> scale_parts, least_parts;      // [inputs / group]
  std::vector<uint16_t> super_scales, super_leasts;  // [inputs / 256], binary16
};
// row: blocks of a type that block_format knows, as many as `inputs` need.
void read_block_row(codec::GgmlType type, ByteView row, size_t inputs, BlockRow& out);

// Any type that models are stored in, widened: F32, F16, BF16 and those above. model_unsupported for others.
Result<std::vector<float>> widen_blocks(codec::GgmlType type, ByteView bytes, size_t elements);

float from_half(uint16_t bits);          // IEEE 754 binary16
uint16_t half_that_equals(float value);  // CHECKs that one does.

}  // namespace holdfast::tensor
