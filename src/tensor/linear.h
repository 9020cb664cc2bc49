#pragma once

#include <memory>
#include <span>

#include "tensor/activation.h"
#include "tensor/precision.h"
#include "tensor/threads.h"

namespace holdfast::tensor {

enum class OutputLayout : uint8_t {
  plain,
  gated,  // The weight's first half of outputs are gates a, its second half values b: out = activation(a) *
          // b.
};

// What a linear layer is made of.
struct LinearWeights {
  std::span<const float> weight;  // [outputs, inputs]
  std::span<const float> bias;    // [outputs], or empty
  size_t outputs = 0, inputs = 0;
  OutputLayout layout = OutputLayout::plain;
};

// One product: out = activation(in * weight^T + bias) [gated: half as wide] + addend. Strides are in floats;
// 0 means that rows follow each other.
struct LinearRun {
  const float* in = nullptr;  // [rows, inputs]
  float* out = nullptr;       // [rows, width()]
  size_t rows = 0;
  size_t in_stride = 0, out_stride = 0;
  Activation activation = Activation::none;
  const float* addend = nullptr;  // [rows, width()], rows as far apart as those of out; may be out itself
};

// A linear layer, packed once for one instruction set and precision. Immutable; safe from any thread.
// A row's result depends on that row alone: the same bits for any number of rows and threads.
class Linear {
 public:
  virtual ~Linear() = default;
  virtual size_t inputs() const = 0;
  virtual size_t width() const = 0;  // Of a row of out: outputs, or half of them when gated.
  virtual size_t bytes() const = 0;  // Of memory held.
  virtual void run(const LinearRun& run, Threads& threads) const = 0;
};

std::unique_ptr<const Linear> make_linear(const LinearWeights& weights, Compute compute);

}  // namespace holdfast::tensor
