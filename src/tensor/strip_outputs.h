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

inline StripOutputs outputs_of(const BlockWeights& weights) {
  const bool gated = weights.layout == OutputLayout::gated;
  return {gated ? weights.rows.size() / 2 : weights.rows.size(), gated};
}

}  // namespace holdfast::tensor
