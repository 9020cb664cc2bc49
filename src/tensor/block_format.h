#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::tensor {

// How quantised numbers are kept in memory, whatever ggml calls their type: w = scale * code + least, with a
// scale (and a least) for each group of neighbouring inputs of an output.
struct BlockFormat {
  uint8_t code_bits = 4;    // 4: 0 to 15; 8: -128 to 127
  uint8_t group = 32;       // Inputs that share a scale: 16 or 32.
  uint8_t scale_bytes = 2;  // 2: binary16; 4: float
  bool has_least = true;

  bool operator==(const BlockFormat&) const = default;
};

// A strip of sixteen outputs is a list of groups: sixteen scales, sixteen leasts where there are some, then
// the codes, for each input (or, of four bits, pair of inputs, the first in the low half) sixteen bytes.
inline constexpr size_t scales_bytes(const BlockFormat& format) {
  return size_t{16} * format.scale_bytes * (format.has_least ? 2 : 1);
}
inline constexpr size_t group_bytes(const BlockFormat& format) {
  return scales_bytes(format) + size_t{16} * format.group * format.code_bits / 8;
}

// sums[r][c] = sum over k of row r and the widened weight of output c, k from 0 upwards, one rounding a step:
// what SumsJob gives for the weight widened to f32, to the bit.
struct BlockSumsJob {
  BlockFormat format;
  const float* rows = nullptr;           // row_stride floats apart
  size_t row_stride = 0, row_count = 0;  // At most block_rows_most
  const std::byte* strips = nullptr;     // strip_bytes apart
  size_t strip_bytes = 0, strip_count = 0, groups = 0;
  float* sums = nullptr;  // [row_count, strip_count * 16]
  size_t sums_stride = 0;
};
inline constexpr size_t block_rows_most = 4;

// A strip as lines of sixteen floats, one an input.
struct WidenJob {
  BlockFormat format;
  const std::byte* strip = nullptr;
  size_t groups = 0;
  float* lines = nullptr;  // [groups * group, 16]
};

}  // namespace holdfast::tensor
