#include "model/sound/layer_weights.h"

#include <algorithm>
#include <cmath>

namespace holdfast::model {

Result<std::vector<float>> load_layer_weights(const WeightReader& reader, size_t layers) {
  TRY(std::vector<float> out, reader.floats("layer_weights", {layers}));
  const float most = *std::max_element(out.begin(), out.end());
  double sum = 0;
  for (float& weight : out) sum += weight = std::exp(weight - most);
  for (float& weight : out) weight = static_cast<float>(weight / sum);
  return out;
}

tensor::Floats weigh_layers(const std::vector<float>& shares, const std::vector<tensor::Floats>& states) {
  tensor::Floats out(states.front().size());
  std::fill_n(out.data(), out.size(), 0.0F);
  for (size_t layer = 0; layer < states.size(); ++layer)
    for (size_t i = 0; i < out.size(); ++i) out.data()[i] += shares[layer] * states[layer].data()[i];
  return out;
}

}  // namespace holdfast::model
