#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "tensor/products.h"

namespace holdfast::tensor {

// Weights of four bits in whole numbers of sixteen bits: of a piece of inputs each output has one scale, and
// of each group of inputs two whole numbers, so that a weight is scale * (step * (code - 8) + middle), within
// whole_most. Rows are whole numbers too, with a scale a piece: products of a piece are exact in any order,
// and no float is touched before it ends.
inline constexpr size_t whole_piece = 576;  // Inputs of a piece, the last one's may be fewer.
inline constexpr int32_t whole_most = 29'000;
// A row's number is whole_steps * first + fine, two bytes of -127 to 127: below 2^15.
inline constexpr int32_t whole_steps = 254, row_most = 32'384;
// Sums of a piece's weights with bytes fit into 32 bits, the eight that step and middle may be off included.
static_assert(int64_t{whole_piece} * (whole_most + 9) * 127 < INT64_C(1) << 31);

// A strip of sixteen outputs is a list of pieces: sixteen floats, the scales; then of each group sixteen
// words (step in the low half, middle in the high one) and its codes, as block_bytes.h has codes of four
// bits.
inline constexpr size_t whole_group_bytes(size_t group) { return line_bytes + 8 * group; }
inline constexpr size_t pieces_of(size_t inputs) { return (inputs + whole_piece - 1) / whole_piece; }
inline constexpr size_t whole_strip_bytes(size_t inputs, size_t group) {
  return pieces_of(inputs) * line_bytes + inputs / group * whole_group_bytes(group);
}

// Rows as kernels read them. `lanes` rows stand beside each other: 64 inputs of each, first bytes, then fine
// ones; then the next 64, zeros where a row has ended.
inline constexpr size_t pair_inputs = 64;
struct WholeRows {
  int8_t* codes = nullptr;  // [rows / lanes, pairs, lanes, 2, 64]
  float* scales = nullptr;  // [rows, pieces]
  int32_t* sums = nullptr;  // [rows, groups, 2]: of first bytes, of fine ones
  size_t lanes = 1;         // 1 or 16

  static size_t pairs(size_t inputs) { return (inputs + pair_inputs - 1) / pair_inputs; }
  static size_t row_bytes(size_t inputs) { return pairs(inputs) * 2 * pair_inputs; }
  // Where a row's bytes begin; those of the next 64 inputs are step() further.
  size_t place(size_t row, size_t inputs) const {
    return row / lanes * lanes * row_bytes(inputs) + row % lanes * 2 * pair_inputs;
  }
  size_t step() const { return lanes * 2 * pair_inputs; }
  // Those from `row` on, a multiple of lanes.
  WholeRows from(size_t row, size_t inputs, size_t group) const {
    WholeRows out = *this;
    out.codes += row * row_bytes(inputs);
    out.scales += row * pieces_of(inputs);
    out.sums += row * (inputs / group) * 2;
    return out;
  }
};

// A row whose greatest number is not finite has no bytes but zeros, and a scale that is no number; one
// without a number above 1e-30 is zeros.
inline constexpr float row_least = 1e-30F;
struct WholeQuantizeJob {
  const float* in = nullptr;  // Rows in_stride floats apart
  size_t rows = 0, inputs = 0, in_stride = 0, group = 32;
  WholeRows out;
  size_t row = 0;  // Of `out`, the first of these rows.
};

// sums[r][c] = sum over pieces, from the first upwards and rounded once as each is added, of
// (254 * first + fine, rounded once) * (scale_r * scale_c), where `first` and `fine` are the sums of products
// of the weights with the row's first and fine bytes as floats: the same bits on every instruction set.
struct WholeDotsJob {
  size_t group = 32;  // 16 or 32
  WholeRows rows;
  size_t row_count = 0;
  const std::byte* strips = nullptr;                    // strip_bytes apart
  size_t strip_bytes = 0, strip_count = 0, inputs = 0;  // strip_count: even
  float* sums = nullptr;                                // [row_count, strip_count * 16]
  size_t sums_stride = 0;
};

}  // namespace holdfast::tensor
