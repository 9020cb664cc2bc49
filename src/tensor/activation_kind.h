#pragma once

#include <cstdint>

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
  mish,        // x * tanh(log(1 + exp x))
  relu_six,    // min(relu(x), 6)
  leaky_relu,  // x below 0: x / 100
  gelu_ten,    // gelu within -10 and 10
  laplace,     // (1 + erf((x - 0.707107) / (0.282095 sqrt 2))) / 2
};

}  // namespace holdfast::tensor
