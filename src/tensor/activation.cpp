#include "tensor/activation.h"

#include <cmath>
#include <cstdlib>
#include <utility>

namespace holdfast::tensor {
namespace {

template <class Function>
void each(float* data, size_t count, Function function) {
  for (size_t i = 0; i < count; ++i) data[i] = function(data[i]);
}

float sigmoid_of(float x) { return 1.0F / (1.0F + std::exp(-x)); }

constexpr std::pair<std::string_view, Activation> names[] = {
    {"linear", Activation::none},
    {"none", Activation::none},
    {"relu", Activation::relu},
    {"relu2", Activation::relu_squared},
    {"gelu", Activation::gelu},
    {"gelu_python", Activation::gelu},
    {"gelu_new", Activation::gelu_tanh},
    {"gelu_fast", Activation::gelu_tanh},
    {"gelu_accurate", Activation::gelu_tanh},
    {"gelu_pytorch_tanh", Activation::gelu_tanh},
    {"gelu_python_tanh", Activation::gelu_tanh},
    {"quick_gelu", Activation::gelu_quick},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"sigmoid", Activation::sigmoid},
    {"tanh", Activation::tanh},
    {"mish", Activation::mish},
};

}  // namespace

std::optional<Activation> activation_from_name(std::string_view name) {
  for (const auto& [known, activation] : names)
    if (known == name) return activation;
  return std::nullopt;
}

void activate(const Kernels& kernels, Activation activation, float* data, size_t count) {
  switch (activation) {
    case Activation::none:
      return;
    case Activation::relu:
      return each(data, count, [](float x) { return x < 0 ? 0.0F : x; });
    case Activation::relu_squared:
      return each(data, count, [](float x) { return x < 0 ? 0.0F : x * x; });
    case Activation::gelu:
      return kernels.gelu(data, count);
    case Activation::gelu_tanh:
      return each(data, count, [](float x) {
        return 0.5F * x * (1.0F + std::tanh(0.79788456080286536F * (x + 0.044715F * x * x * x)));
      });
    case Activation::gelu_quick:
      return each(data, count, [](float x) { return x * sigmoid_of(1.702F * x); });
    case Activation::silu:
      return each(data, count, [](float x) { return x * sigmoid_of(x); });
    case Activation::sigmoid:
      return each(data, count, sigmoid_of);
    case Activation::tanh:
      return each(data, count, [](float x) { return std::tanh(x); });
    case Activation::mish:
      return each(data, count,
                  [](float x) { return x * std::tanh(std::log1p(std::exp(std::fmin(x, 80.0F)))); });
  }
  std::abort();
}

}  // namespace holdfast::tensor
