#include "model/weight_reader.h"

#include <fmt/format.h>

namespace holdfast::model {

const tensor::TensorView* WeightReader::find(std::string_view name) const {
  if (const tensor::TensorView* view = weights_.find(prefix_ + std::string(name)); view != nullptr)
    return view;
  return weights_.find(name);
}

Result<const tensor::TensorView*> WeightReader::view(std::string_view name,
                                                     std::vector<uint64_t> shape) const {
  const tensor::TensorView* view = find(name);
  if (view == nullptr) return fail(Reason::bad_request, fmt::format("the weights lack '{}'", name));
  if (view->shape != shape)
    return fail(Reason::bad_request, fmt::format("'{}' has shape {} where config.json asks for {}", name,
                                                 tensor::shape_text(view->shape), tensor::shape_text(shape)));
  return view;
}

Result<std::vector<float>> WeightReader::floats(std::string_view name, std::vector<uint64_t> shape) const {
  TRY(const tensor::TensorView* found, view(name, std::move(shape)));
  return tensor::to_floats(*found);
}

Result<tensor::PackedLinear> WeightReader::linear(std::string_view name, size_t outputs,
                                                  size_t inputs) const {
  return joined({std::string(name)}, outputs, inputs);
}

Result<tensor::PackedLinear> WeightReader::joined(const std::vector<std::string>& names, size_t outputs_each,
                                                  size_t inputs) const {
  std::vector<float> weight, bias;
  for (const std::string& name : names) {
    TRY(const std::vector<float> one_weight, floats(name + ".weight", {outputs_each, inputs}));
    TRY(const std::vector<float> one_bias, floats(name + ".bias", {outputs_each}));
    weight.insert(weight.end(), one_weight.begin(), one_weight.end());
    bias.insert(bias.end(), one_bias.begin(), one_bias.end());
  }
  return tensor::PackedLinear(weight, bias, outputs_each * names.size(), inputs);
}

Result<Norm> WeightReader::norm(std::string_view name, size_t width) const {
  const bool early = !has(fmt::format("{}.weight", name));
  Norm out;
  TRY(out.gamma, floats(fmt::format("{}.{}", name, early ? "gamma" : "weight"), {width}));
  TRY(out.beta, floats(fmt::format("{}.{}", name, early ? "beta" : "bias"), {width}));
  return out;
}

}  // namespace holdfast::model
