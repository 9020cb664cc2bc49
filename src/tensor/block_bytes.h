#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::tensor {

// How quantised numbers are kept for products of whole numbers: w = scale * (code - zero) + least, with a
// scale (and a least) for each group of neighbouring inputs of an output. Kernels multiply codes with rows
// quantised to bytes group by group, as llama.cpp does.
struct ByteFormat {
  enum class Scales : uint8_t {
    half,    // binary16
    single,  // float
    parts,   // A signed byte a group, times a binary16 for each 256 inputs.
  };
  uint8_t code_bits = 4;  // 4: 0 to 15; 8: -128 to 127
  uint8_t group = 32;     // 16 or 32
  uint8_t zero = 0;       // Of codes of four bits.
  bool has_least = false;
  Scales scales = Scales::half;

  bool operator==(const ByteFormat&) const = default;
};

inline constexpr size_t super_inputs = 256;

// A strip of sixteen outputs is a list of groups: sixteen scales, sixteen leasts where there are some, then
// lines of 64 bytes: four codes of neighbouring inputs for each output. Of four bits a line holds two of
// those: inputs 4 i to 4 i + 3 in the low halves, those half a group further in the high ones. Parts: before
// each 256 inputs stand sixteen binary16, and sixteen more of the leasts.
inline constexpr size_t number_bytes(ByteFormat::Scales scales) {
  return scales == ByteFormat::Scales::half ? 32 : scales == ByteFormat::Scales::single ? 64 : 16;
}
inline constexpr size_t byte_scales_bytes(const ByteFormat& format) {
  return number_bytes(format.scales) * (format.has_least ? 2 : 1);
}
inline constexpr size_t byte_group_bytes(const ByteFormat& format) {
  return byte_scales_bytes(format) + size_t{16} * format.group * format.code_bits / 8;
}
inline constexpr size_t super_bytes(const ByteFormat& format) {
  return format.scales == ByteFormat::Scales::parts ? (format.has_least ? 64 : 32) : 0;
}
inline constexpr size_t byte_strip_bytes(const ByteFormat& format, size_t inputs) {
  return inputs / format.group * byte_group_bytes(format) + inputs / super_inputs * super_bytes(format);
}

// Fine steps in a step of a row's first bytes. Weights of four bits are met by sixteen: 16 * (code - zero) is
// a byte still, so that a tile takes first and fine bytes beside each other in one product.
inline constexpr int32_t fine_steps(const ByteFormat& format) { return format.code_bits == 4 ? 16 : 254; }

// Rows quantised to -127 to 127, a scale for each group: x is about code * scale. Fine codes, where there are
// any, are what the first ones leave over in steps of scale / S, S being fine_steps: then x is
// (S * code + fine) * scale, 12 bits in all or 15, and `scales` hold an S-th.
struct ByteRows {
  int8_t* codes = nullptr;       // [rows / lanes, groups, lanes, group_bytes]
  bool fine = false;             // A group's fine codes stand behind its first ones.
  float* scales = nullptr;       // For place()
  float* scaled_sums = nullptr;  // For place(): scale times the sum below
  int32_t* sums = nullptr;       // For place(): of code, or of S * code + fine
  size_t lanes = 1;              // 1 or 16 rows' numbers of one group stand beside each other.

  size_t group_bytes(size_t group) const { return fine ? 2 * group : group; }
  size_t row_bytes(size_t inputs) const { return fine ? 2 * inputs : inputs; }
  size_t place(size_t row, size_t groups) const {  // Of its first group; the next is `lanes` further.
    return row / lanes * groups * lanes + row % lanes;
  }
  // Where the bytes of its first group are; the next is lanes * group_bytes further.
  size_t code_place(size_t row, size_t inputs, size_t group) const {
    return row / lanes * lanes * row_bytes(inputs) + row % lanes * group_bytes(group);
  }
  // Those from `row` on, a multiple of lanes.
  ByteRows from(size_t row, size_t inputs, size_t groups) const {
    ByteRows out = *this;
    out.codes += row * row_bytes(inputs);
    out.scales += row * groups;
    out.scaled_sums += row * groups;
    out.sums += row * groups;
    return out;
  }
};
inline constexpr size_t lanes_of_many = 16;

struct QuantizeJob {
  const float* in = nullptr;  // Rows in_stride floats apart
  size_t rows = 0, inputs = 0, in_stride = 0, group = 32;
  int32_t steps = 0;  // Of fine codes.
  ByteRows out;
  size_t row = 0;  // Of `out`, the first of these rows.
};

// sums[r][c] = sum over groups, from the first upwards, of scale_c * (scale_r * (whole sum of products))
// rounded once as it is added, then of least_c * scaled_sum_r the same way: the same bits on every
// instruction set and for any number of rows and strips.
struct BlockDotsJob {
  ByteFormat format;
  ByteRows rows;
  size_t row_count = 0;
  const std::byte* strips = nullptr;                    // strip_bytes apart
  size_t strip_bytes = 0, strip_count = 0, inputs = 0;  // strip_count: even
  float* sums = nullptr;                                // [row_count, strip_count * 16]
  size_t sums_stride = 0;
};

}  // namespace holdfast::tensor
