#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tensor/kernels.h"

namespace holdfast::tensor {

// The functions between the layers of transformers' models.
enum class Activation : uint8_t {
  none,
  relu,
  relu_squared,
  gelu,        // x * (1 + erf(x / sqrt 2)) / 2
  gelu_tanh,   // x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2
  gelu_quick,  // x * sigmoid(1.702 x)
  silu,        // x * sigmoid(x)
  sigmoid,
  tanh,
  mish,  // x * tanh(log(1 + exp x))
};

// By the names of `hidden_act`: "gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "silu", "swish", ...
std::optional<Activation> activation_from_name(std::string_view name);

// In place.
void activate(const Kernels& kernels, Activation activation, float* data, size_t count);

}  // namespace holdfast::tensor
