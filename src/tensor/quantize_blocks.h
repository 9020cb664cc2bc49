#pragma once

#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "codec/gguf.h"

namespace holdfast::tensor {

// Numbers as ggml's types: F32, F16, and the blocks of Q8_0, Q4_0 and Q4_K by ggml's own reference rules
// (ggml-quants.c: quantize_row_*_ref), to the byte for the first four. Rows are whole blocks, so their number
// does not matter. bad_request where the count is no whole number of blocks or a number is not finite,
// model_unsupported for other types.
Result<Bytes> quantize_blocks(codec::GgmlType type, std::span<const float> numbers);

uint16_t to_half(float value);  // To the nearest binary16, halves to even.

}  // namespace holdfast::tensor
