#pragma once

#include <memory>
#include <span>
#include <vector>

#include "codec/gguf.h"
#include "tensor/blocks.h"
#include "tensor/linear.h"

namespace holdfast::tensor {

// How finely rows are quantised where they meet weights as bytes: by eight bits, or by a second byte too,
// which costs a second product of bytes and keeps most of what eight bits lose.
enum class RowBits : uint8_t { eight, fine };

// A linear layer whose weight is quantised in blocks: rows[i] are the blocks of output i, so that several
// tensors of one type can be joined and rows reordered without reading them.
struct BlockWeights {
  codec::GgmlType type = codec::GgmlType::q8_0;  // One that block_format knows.
  std::vector<ByteView> rows;                    // [outputs]
  std::span<const float> bias;                   // [outputs], or empty
  size_t inputs = 0;
  OutputLayout layout = OutputLayout::plain;
  RowBits row_bits = RowBits::fine;
};

// Keeps codes and scales, in the order in which kernels read them, and never the widened weight: about the
// bytes of the file. With precision int8 the rows are quantised too (byte_block_linear.h); else products are
// f32, so results are those of the widened weight. A row's bits do not depend on the rows beside it.
std::unique_ptr<const Linear> make_block_linear(const BlockWeights& weights, Compute compute);
// The layer whose packed() of the same type and precision and of fine rows, on whatever instruction set,
// these numbers are: aligned to a cache line, and borrowed. Null where such a layer has not as many.
std::unique_ptr<const Linear> make_packed_block_linear(std::span<const float> packed,
                                                       const LinearShape& shape, codec::GgmlType type,
                                                       Compute compute);

}  // namespace holdfast::tensor
