#pragma once

#include <span>

#include "tensor/buffer.h"
#include "tensor/kernels.h"
#include "tensor/threads.h"

namespace holdfast::tensor {

// A linear layer's weight [N, K] and bias [N] as the kernels read them: panels of 32 columns, each [K, 32],
// the last filled up with zeros. Immutable once made.
class PackedLinear {
 public:
  PackedLinear() = default;
  // Empty bias: zeros.
  PackedLinear(std::span<const float> weight, std::span<const float> bias, size_t outputs, size_t inputs);

  size_t outputs() const { return outputs_; }
  size_t inputs() const { return inputs_; }
  size_t panels() const { return (outputs_ + panel_columns - 1) / panel_columns; }
  const float* panel(size_t index) const { return weight_.data() + index * panel_columns * inputs_; }
  const float* bias(size_t index) const { return bias_.data() + index * panel_columns; }

 private:
  Floats weight_, bias_;
  size_t outputs_ = 0, inputs_ = 0;
};

struct LinearJob {
  const float* in = nullptr;      // [rows, inputs]
  const float* addend = nullptr;  // [rows, outputs], for Epilogue::bias_add; may be out itself
  float* out = nullptr;           // [rows, outputs]
  size_t rows = 0;
  Epilogue epilogue = Epilogue::bias;
};

// out = epilogue(in * weight^T). A row's result depends on that row alone: the same bits for any number of
// rows and threads.
void linear(const Kernels& kernels, Threads& threads, const PackedLinear& layer, const LinearJob& job);

}  // namespace holdfast::tensor
