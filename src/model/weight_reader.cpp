#include "model/weight_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <numeric>
#include <span>

#include "tensor/block_linear.h"
#include "tensor/blocks.h"

namespace holdfast::model {
namespace {

// Neither infinite nor not-a-number: those have all bits of the exponent set.
bool all_finite(std::span<const float> numbers) {
  constexpr uint32_t exponent = 0x7F800000;
  uint32_t odd = 0;
  for (float x : numbers) odd |= (std::bit_cast<uint32_t>(x) & exponent) == exponent ? 1U : 0U;
  return odd == 0;
}

}  // namespace

const tensor::TensorView* WeightReader::find_spelled(const std::string& name) const {
  for (const std::string& prefix : prefixes_)
    if (const tensor::TensorView* view = weights_.find(prefix + name); view != nullptr) return view;
  return weights_.find(name);
}

const tensor::TensorView* WeightReader::find(std::string_view name) const {
  std::string spelled(name);
  if (const tensor::TensorView* view = find_spelled(spelled); view != nullptr) return view;
  for (const auto& [now, before] : renames_)
    if (const size_t at = spelled.find(now); at != std::string::npos) spelled.replace(at, now.size(), before);
  return spelled == name ? nullptr : find_spelled(spelled);
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

Result<const BlockView*> WeightReader::block(std::string_view name,
                                             const std::vector<uint64_t>& shape) const {
  const BlockView* view = block(name);
  if (view == nullptr) return fail(Reason::bad_request, fmt::format("the weights lack '{}'", name));
  if (view->shape != shape)
    return fail(Reason::bad_request, fmt::format("'{}' has shape {} where the metadata asks for {}", name,
                                                 tensor::shape_text(view->shape), tensor::shape_text(shape)));
  return view;
}

bool WeightReader::stays_in_blocks(std::string_view name) const {
  const BlockView* view = block(name);
  return view != nullptr && tensor::block_format(view->type).has_value();
}

Result<LinearLayer> WeightReader::block_linear(std::string_view name, size_t outputs, size_t inputs,
                                               Bias bias) const {
  return joined_blocks({{std::string(name), outputs}}, inputs, bias);
}

Result<LinearLayer> WeightReader::joined_blocks(const std::vector<BlockPart>& parts, size_t inputs, Bias bias,
                                                tensor::OutputLayout layout) const {
  std::string name;
  tensor::LinearShape shape{0, inputs, layout};
  std::optional<codec::GgmlType> type;
  for (const BlockPart& part : parts) {
    if (parts.size() > 1 && !stays_in_blocks(part.name + ".weight")) return LinearLayer{};
    TRY(const BlockView* view, block(part.name + ".weight", {part.outputs, inputs}));
    if (type.value_or(view->type) != view->type) return LinearLayer{};
    type = view->type;
    shape.outputs += part.outputs;
    name += (name.empty() ? "" : "+") + part.name;
  }
  return kept(name, shape, [&] { return join_blocks(parts, inputs, bias, layout); }, type);
}

Result<LinearLayer> WeightReader::join_blocks(const std::vector<BlockPart>& parts, size_t inputs, Bias bias,
                                              tensor::OutputLayout layout) const {
  tensor::BlockWeights weights;
  weights.inputs = inputs;
  weights.layout = layout;
  std::vector<float> shifts;
  for (const BlockPart& part : parts) {
    TRY(const BlockView* view, block(part.name + ".weight", {part.outputs, inputs}));
    weights.type = view->type;
    if (bias == Bias::with || (bias == Bias::if_there && has(part.name + ".bias"))) {
      TRY(const std::vector<float> shift, floats(part.name + ".bias", {part.outputs}));
      shifts.resize(weights.rows.size());
      shifts.insert(shifts.end(), shift.begin(), shift.end());
    }
    const size_t row_bytes = view->bytes.size() / part.outputs;
    for (size_t row = 0; row < part.outputs; ++row)
      weights.rows.push_back(view->bytes.subspan(row * row_bytes, row_bytes));
  }
  if (!shifts.empty()) shifts.resize(weights.rows.size());
  weights.bias = shifts;
  return tensor::make_block_linear(weights, compute_);
}

Result<std::vector<float>> WeightReader::floats(std::string_view name, std::vector<uint64_t> shape) const {
  if (block(name) != nullptr) {
    TRY(const BlockView* found, block(name, shape));
    size_t elements = 1;
    for (uint64_t size : shape) elements *= size;
    return tensor::widen_blocks(found->type, found->bytes, elements);
  }
  TRY(const tensor::TensorView* found, view(name, std::move(shape)));
  if (found->dtype == tensor::Dtype::i8) return widen_int8(name, *found);
  TRY(std::vector<float> out, tensor::to_floats(*found));
  if (!all_finite(out))
    return fail(Reason::bad_request, fmt::format("'{}' holds a number that is not finite", name));
  return out;
}

Result<std::vector<float>> WeightReader::matrix(std::string_view name, size_t outputs, size_t inputs) const {
  const tensor::TensorView* found = find(name);
  if (found == nullptr || found->shape.size() != 3) return floats(name, {outputs, inputs});
  const uint64_t each = found->shape[1];
  const uint64_t groups = each > 0 && each <= inputs ? inputs / each : 1;
  if (each == 0 || inputs % each != 0 || outputs % groups != 0) return floats(name, {outputs, inputs});
  TRY(const std::vector<float> grouped, floats(name, {outputs, inputs / groups, 1}));
  std::vector<float> out(outputs * inputs, 0.0F);
  for (size_t row = 0; row < outputs; ++row)
    std::copy_n(grouped.data() + row * each, each,
                out.data() + row * inputs + row / (outputs / groups) * each);
  return out;
}

// docs/formats/int8-weights.md: bytes of rows, each with the scale that NAME_scale has.
Result<std::vector<float>> WeightReader::int8_scales(std::string_view name, uint64_t rows) const {
  const std::string scale_name = std::string(name) + "_scale";
  const tensor::TensorView* scales = find(scale_name);
  if (scales == nullptr) return fail(Reason::bad_request, fmt::format("the weights lack '{}'", scale_name));
  if (rows == 0 || scales->elements() != rows)
    return fail(Reason::bad_request, fmt::format("'{}' has shape {} where one scale a row of '{}' belongs",
                                                 scale_name, tensor::shape_text(scales->shape), name));
  TRY(std::vector<float> scale, tensor::to_floats(*scales));
  if (!all_finite(scale))
    return fail(Reason::bad_request, fmt::format("'{}' holds a number that is not finite", scale_name));
  return scale;
}

Result<std::vector<float>> WeightReader::widen_int8(std::string_view name,
                                                    const tensor::TensorView& bytes) const {
  const uint64_t rows = bytes.shape.empty() ? 0 : bytes.shape[0];
  TRY(const std::vector<float> scale, int8_scales(name, rows));
  std::vector<float> out(bytes.elements());
  const size_t each = out.size() / rows;
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(static_cast<int8_t>(bytes.bytes[i])) * scale[i / each];
  return out;
}

Result<LinearLayer> WeightReader::linear(std::string_view name, size_t outputs, size_t inputs, Bias bias,
                                         std::span<const float> peaks) const {
  return joined({std::string(name)}, {outputs}, inputs, bias, tensor::OutputLayout::plain, peaks);
}

Result<LinearLayer> WeightReader::joined(const std::vector<std::string>& names,
                                         const std::vector<size_t>& outputs, size_t inputs, Bias bias,
                                         tensor::OutputLayout layout, std::span<const float> peaks) const {
  const size_t all = std::accumulate(outputs.begin(), outputs.end(), size_t{0});
  return kept(fmt::format("{}", fmt::join(names, "+")), {all, inputs, layout},
              [&] { return join(names, outputs, inputs, bias, layout, peaks); });
}

Result<LinearLayer> WeightReader::join(const std::vector<std::string>& names,
                                       const std::vector<size_t>& outputs, size_t inputs, Bias bias,
                                       tensor::OutputLayout layout, std::span<const float> peaks) const {
  std::vector<float> weight, shift, scales;
  size_t all = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    TRY(const std::vector<float> one, matrix(names[i] + ".weight", outputs[i], inputs));
    weight.insert(weight.end(), one.begin(), one.end());
    if (const tensor::TensorView* found = find(names[i] + ".weight");
        found != nullptr && found->dtype == tensor::Dtype::i8) {
      TRY(const std::vector<float> known, int8_scales(names[i] + ".weight", outputs[i]));
      scales.resize(all, 0.0F);
      scales.insert(scales.end(), known.begin(), known.end());
    }
    all += outputs[i];
    if (bias == Bias::with || (bias == Bias::if_there && has(names[i] + ".bias"))) {
      TRY(const std::vector<float> one_shift, floats(names[i] + ".bias", {outputs[i]}));
      shift.insert(shift.end(), one_shift.begin(), one_shift.end());
    } else {
      shift.resize(shift.size() + outputs[i], 0.0F);
    }
  }
  if (!scales.empty()) scales.resize(all, 0.0F);
  return tensor::make_linear({weight, shift, all, inputs, layout, peaks, scales}, compute_);
}

Result<Norm> WeightReader::norm(std::string_view name, size_t width, Bias bias) const {
  const bool early = !has(fmt::format("{}.weight", name)) && has(fmt::format("{}.gamma", name));
  Norm out;
  TRY(out.gamma, floats(fmt::format("{}.{}", name, early ? "gamma" : "weight"), {width}));
  const std::string shift = fmt::format("{}.{}", name, early ? "beta" : "bias");
  if (bias == Bias::without || (bias == Bias::if_there && !has(shift))) {
    out.beta.resize(width, 0.0F);
    return out;
  }
  TRY(out.beta, floats(shift, {width}));
  return out;
}

}  // namespace holdfast::model
