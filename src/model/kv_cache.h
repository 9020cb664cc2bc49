#pragma once

#include <cstddef>
#include <vector>

namespace holdfast::model {

// Keys and values of one sequence's tokens so far, by layer. Copies are independent.
struct KvCache {
  struct Layer {
    std::vector<float> keys;    // [tokens, key heads * D]
    std::vector<float> values;  // [tokens, key heads * value width]
  };
  std::vector<Layer> layers;
  size_t tokens = 0;

  // Forgets all but the first `kept` tokens.
  void shorten(size_t kept) {
    if (kept >= tokens) return;
    for (Layer& layer : layers) {
      layer.keys.resize(layer.keys.size() / tokens * kept);
      layer.values.resize(layer.values.size() / tokens * kept);
    }
    tokens = kept;
  }
};

}  // namespace holdfast::model
