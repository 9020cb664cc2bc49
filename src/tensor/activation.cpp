#include "tensor/activation.h"

#include <utility>

namespace holdfast::tensor {
namespace {

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
    {"relu6", Activation::relu_six},
    {"leaky_relu", Activation::leaky_relu},
    {"gelu_10", Activation::gelu_ten},
    {"laplace", Activation::laplace},
};

}  // namespace

std::optional<Activation> activation_from_name(std::string_view name) {
  for (const auto& [known, activation] : names)
    if (known == name) return activation;
  return std::nullopt;
}

void activate(const Kernels& kernels, Activation activation, float* data, size_t count) {
  kernels.activate(activation, data, count);
}

}  // namespace holdfast::tensor
