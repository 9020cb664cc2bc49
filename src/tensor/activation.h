#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "tensor/activation_kind.h"
#include "tensor/kernels.h"

namespace holdfast::tensor {

// By the names of `hidden_act`: "gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "silu", "swish", ...
std::optional<Activation> activation_from_name(std::string_view name);

// In place.
void activate(const Kernels& kernels, Activation activation, float* data, size_t count);

}  // namespace holdfast::tensor
