#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "model/encoder_plan.h"
#include "tensor/weights.h"

namespace holdfast::model {

// A checkpoint's weights with the matrices of its layers as bytes: docs/formats/int8-weights.md.
struct Int8Weights {
  Bytes file;                         // model.safetensors
  std::vector<std::string> matrices;  // Modules whose weight became bytes.
  std::vector<std::string> kept;      // Modules with a matrix that did not: heads.
  uint64_t bytes_before = 0;          // Of all tensors.
};

inline constexpr std::string_view int8_scale_suffix = "_scale";  // NAME.weight_scale

// Symmetric, one scale an output. Tables of embeddings become bf16; everything else stays as it is.
// model_unsupported where nothing can be made smaller, bad_request for numbers that are not finite.
Result<Int8Weights> make_int8_weights(const tensor::Weights& weights, const EncoderPlan& plan);

}  // namespace holdfast::model
