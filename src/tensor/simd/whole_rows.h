#pragma once

// Rows of floats as whole numbers of two bytes (whole_format.h), in plain loops that compilers turn into
// registers of the file's instruction set. In an unnamed namespace, as row_kernels.h is.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/whole_format.h"

namespace holdfast::tensor {
namespace {

struct WholeScale {
  float inverse, scale;
};
// `bits`: of the greatest number of a piece without its sign.
inline WholeScale whole_scale(int32_t bits) {
  const float most = std::bit_cast<float>(bits);
  if (!(most <= std::numeric_limits<float>::max())) return {0, std::numeric_limits<float>::quiet_NaN()};
  if (most < row_least) return {0, 0};
  return {static_cast<float>(row_most) / most, most / static_cast<float>(row_most)};
}

inline void whole_group(const float* x, size_t count, float inverse, int8_t* first, int8_t* fine,
                        int32_t* sums) {
  // Adding 1.5 * 2^23 rounds to a whole number, halves to even, and leaves it in the low bits.
  constexpr float rounder = 12582912.0F;
  int32_t high[32], low[32], high_sum = 0, low_sum = 0;
  for (size_t i = 0; i < count; ++i) {
    const float whole = x[i] * inverse + rounder - rounder;
    const float part = whole * (1.0F / static_cast<float>(whole_steps)) + rounder;
    const float rest = whole - (part - rounder) * static_cast<float>(whole_steps);
    high[i] = std::bit_cast<int32_t>(part) - std::bit_cast<int32_t>(rounder);
    low[i] = std::bit_cast<int32_t>(rest + rounder) - std::bit_cast<int32_t>(rounder);
  }
  for (size_t i = 0; i < count; ++i) high_sum += high[i];
  for (size_t i = 0; i < count; ++i) low_sum += low[i];
  for (size_t i = 0; i < count; ++i) first[i] = static_cast<int8_t>(high[i]);
  for (size_t i = 0; i < count; ++i) fine[i] = static_cast<int8_t>(low[i]);
  sums[0] = high_sum;
  sums[1] = low_sum;
}

// group(x, inverse, first, fine, sums): one group of a row.
template <class Greatest, class Group>
inline void whole_rows_by(const WholeQuantizeJob& job, Greatest greatest, Group each_group) {
  const size_t groups = job.inputs / job.group, pieces = pieces_of(job.inputs);
  for (size_t r = 0; r < job.rows; ++r) {
    const float* x = job.in + r * job.in_stride;
    const size_t row = job.row + r;
    int8_t* to = job.out.codes + job.out.place(row, job.inputs);
    int32_t* sums = job.out.sums + row * groups * 2;
    for (size_t piece = 0; piece < pieces; ++piece) {
      const size_t from = piece * whole_piece, end = std::min(job.inputs, from + whole_piece);
      if (r + 1 < job.rows)  // The next row comes from a cache further away meanwhile.
        for (size_t k = from; k < end; k += line_bytes / sizeof(float))
          __builtin_prefetch(x + job.in_stride + k);
      const WholeScale of = whole_scale(greatest(x + from, end - from));
      job.out.scales[row * pieces + piece] = of.scale;
      for (size_t k = from; k < end; k += job.group, sums += 2) {
        int8_t* first = to + k / pair_inputs * job.out.step() + k % pair_inputs;
        if (of.inverse == 0) {
          std::memset(first, 0, job.group);
          std::memset(first + pair_inputs, 0, job.group);
          sums[0] = sums[1] = 0;
        } else {
          each_group(x + k, of.inverse, first, first + pair_inputs, sums);
        }
      }
    }
    const size_t over = job.inputs % pair_inputs;
    if (over == 0) continue;
    int8_t* last = to + job.inputs / pair_inputs * job.out.step() + over;
    std::memset(last, 0, pair_inputs - over);
    std::memset(last + pair_inputs, 0, pair_inputs - over);
  }
}

inline int32_t whole_greatest(const float* x, size_t count) {
  int32_t most = 0;  // Positive floats are ordered as their bits are; so is what is not a number.
  for (size_t i = 0; i < count; ++i) most = std::max(most, std::bit_cast<int32_t>(x[i]) & 0x7FFFFFFF);
  return most;
}

inline void whole_rows(const WholeQuantizeJob& job) {
  whole_rows_by(job, whole_greatest,
                [&](const float* x, float inverse, int8_t* first, int8_t* fine, int32_t* sums) {
                  job.group == 32 ? whole_group(x, 32, inverse, first, fine, sums)
                                  : whole_group(x, 16, inverse, first, fine, sums);
                });
}

}  // namespace
}  // namespace holdfast::tensor
