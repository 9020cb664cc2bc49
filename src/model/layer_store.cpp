#include "model/layer_store.h"

#include <fmt/format.h>

namespace holdfast::model {

std::string packed_key(std::string_view config, const tensor::Weights& weights) {
  std::string key(config);
  for (const std::string& name : weights.names()) {
    const tensor::TensorView& view = *weights.find(name);
    key += fmt::format("\n{} {} {}", name, static_cast<int>(view.dtype), view.bytes.size());
  }
  return key;
}

std::string packed_key(std::string_view config, const codec::GgufFile& file) {
  std::string key(config);
  for (const codec::GgufTensor& tensor : file.tensors())
    key += fmt::format("\n{} {} {}", tensor.name, static_cast<int>(tensor.type), tensor.bytes.size());
  return key;
}

}  // namespace holdfast::model
