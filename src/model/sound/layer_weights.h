#pragma once

#include <vector>

#include "model/weight_reader.h"
#include "tensor/buffer.h"

namespace holdfast::model {

// `layer_weights` [layers] as shares that sum to 1.
Result<std::vector<float>> load_layer_weights(const WeightReader& reader, size_t layers);
// The mean of equally many numbers of each layer by these shares.
tensor::Floats weigh_layers(const std::vector<float>& shares, const std::vector<tensor::Floats>& states);

}  // namespace holdfast::model
