#pragma once

#include <algorithm>
#include <cstddef>

#include "tensor/block_linear.h"
#include "tensor/kernels.h"

namespace holdfast::tensor {

// Where the outputs of a layer of quantised blocks stand among strips, and how sums of strips become outputs.
struct StripOutputs {
  size_t width = 0;  // Numbers a row gets: half the outputs where they are gated.
  bool gated = false;

  size_t strips() const {
    const size_t even = gated ? strip_columns : 2 * strip_columns;
    return (width + even - 1) / even * 2;
  }
  // Gates and values in turn, sixteen at a time.
  size_t column_of(size_t output) const {
    if (!gated) return output;
    const size_t at = output % width;
    return at / strip_columns * 2 * strip_columns + (output < width ? 0 : strip_columns) + at % strip_columns;
  }

  // sums: of `count` strips from `first` on, for `rows` rows from `row` on of the run; bias: of all columns.
  void finish(const ProductKernel& product, const LinearRun& run, const float* bias, size_t first,
              size_t count, size_t row, size_t rows, const float* sums) const {
    const size_t from = first * strip_columns, column = gated ? from / 2 : from;
    if (column >= width) return;
    FinishJob job;
    job.sums = sums;
    job.sums_stride = count * strip_columns;
    job.rows = rows;
    job.columns = std::min(job.sums_stride / (gated ? 2 : 1), width - column);
    job.bias = bias + from;
    job.activation = run.activation;
    job.gated = gated;
    job.out_stride = run.out_stride != 0 ? run.out_stride : width;
    job.out = run.out + row * job.out_stride + column;
    job.addend = run.addend == nullptr ? nullptr : run.addend + row * job.out_stride + column;
    product.finish(job);
  }
};

inline LinearShape shape_of(const BlockWeights& weights) {
  return {weights.rows.size(), weights.inputs, weights.layout};
}
inline StripOutputs outputs_of(const LinearShape& shape) {
  const bool gated = shape.layout == OutputLayout::gated;
  return {gated ? shape.outputs / 2 : shape.outputs, gated};
}

// The numbers of such a layer: its strips, then the biases of all columns from a whole line on.
struct StripNumbers {
  size_t strip_bytes = 0, strips = 0;

  size_t bias_at() const {
    return (strip_bytes * strips + line_bytes - 1) / line_bytes * line_bytes / sizeof(float);
  }
  size_t count() const { return bias_at() + strips * strip_columns; }
};

}  // namespace holdfast::tensor
