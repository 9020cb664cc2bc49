#pragma once

#include <memory>

#include "tensor/block_linear.h"

namespace holdfast::tensor {

// The same weights met by rows that are quantised to bytes, a scale for each group of inputs: whole sums
// within a group, floats over groups, as llama.cpp computes them.
std::unique_ptr<const Linear> make_byte_block_linear(const BlockWeights& weights, Isa isa);
// As make_packed_block_linear.
std::unique_ptr<const Linear> make_packed_byte_block_linear(std::span<const float> packed,
                                                            const LinearShape& shape, codec::GgmlType type,
                                                            Isa isa);

}  // namespace holdfast::tensor
