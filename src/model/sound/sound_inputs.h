#pragma once

#include <span>
#include <vector>

#include "base/result.h"
#include "tensor/weights.h"

namespace holdfast::model {

// Samples as transformers takes them: `input_values` [B, S] and, where given, `attention_mask` of its shape,
// of which only how many samples a row has counts.
struct Waves {
  std::vector<float> samples;
  std::vector<size_t> lengths;  // Of each row.
  size_t width = 0;             // S
  bool masked = false;

  size_t height() const { return lengths.size(); }
  std::span<const float> row(size_t index) const { return std::span(samples).subspan(index * width, width); }
};
// bad_request for what is missing, of another shape or not finite.
Result<Waves> read_waves(const tensor::Weights& inputs);

// A tensor of floats of `dimensions` dimensions, none of them 0. bad_request as above.
struct SignalTensor {
  std::vector<uint64_t> shape;
  std::vector<float> data;
};
Result<SignalTensor> read_signal(const tensor::Weights& inputs, std::string_view name, size_t dimensions);

}  // namespace holdfast::model
