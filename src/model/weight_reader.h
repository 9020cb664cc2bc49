#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/gemm.h"
#include "tensor/weights.h"

namespace holdfast::model {

// A normalization's scale and shift.
struct Norm {
  std::vector<float> gamma, beta;
};

// Reads tensors by name and checks their shapes, so that a family file lists names and shapes only. Names are
// tried with and without the family's prefix, as checkpoints of a bare model lack it. A missing tensor or a
// wrong shape is bad_request. Borrows the weights.
class WeightReader {
 public:
  WeightReader(const tensor::Weights& weights, std::string prefix)
      : weights_(weights), prefix_(std::move(prefix)) {}

  bool has(std::string_view name) const { return find(name) != nullptr; }
  Result<const tensor::TensorView*> view(std::string_view name, std::vector<uint64_t> shape) const;
  Result<std::vector<float>> floats(std::string_view name, std::vector<uint64_t> shape) const;
  // NAME.weight [outputs, inputs] and NAME.bias [outputs].
  Result<tensor::PackedLinear> linear(std::string_view name, size_t outputs, size_t inputs) const;
  // Several layers of one input as one, their outputs in order.
  Result<tensor::PackedLinear> joined(const std::vector<std::string>& names, size_t outputs_each,
                                      size_t inputs) const;
  // NAME.weight and NAME.bias, or gamma and beta as early checkpoints call them.
  Result<Norm> norm(std::string_view name, size_t width) const;

 private:
  const tensor::TensorView* find(std::string_view name) const;

  const tensor::Weights& weights_;
  std::string prefix_;
};

}  // namespace holdfast::model
