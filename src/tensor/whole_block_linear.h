#pragma once

#include "tensor/block_linear.h"
#include "tensor/isa.h"

namespace holdfast::tensor {

// Whether a type's codes have four bits, so that its weights can be whole numbers (whole_format.h).
bool has_whole_form(codec::GgmlType type);

// A layer of such a type met by rows of two bytes: the same bits on every instruction set and for any number
// of rows. Its weights keep their codes; scales and leasts become steps and middles of sixteen bits.
std::unique_ptr<const Linear> make_whole_block_linear(const BlockWeights& weights, Isa isa);
// As make_packed_block_linear.
std::unique_ptr<const Linear> make_packed_whole_block_linear(std::span<const float> packed,
                                                             const LinearShape& shape, codec::GgmlType type,
                                                             Isa isa);

}  // namespace holdfast::tensor
