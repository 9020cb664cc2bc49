#include "model/sound/sound_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace holdfast::model {
namespace {

constexpr uint64_t elements_max = uint64_t{1} << 28;

}  // namespace

Result<SignalTensor> read_signal(const tensor::Weights& inputs, std::string_view name, size_t dimensions) {
  const tensor::TensorView* view = inputs.find(name);
  if (view == nullptr) return fail(Reason::bad_request, fmt::format("{} is missing", name));
  if (view->shape.size() != dimensions || view->elements() == 0 || view->elements() > elements_max)
    return fail(Reason::bad_request,
                fmt::format("{} has shape {} where {} dimensions belong, none of them 0 and not too large",
                            name, tensor::shape_text(view->shape), dimensions));
  SignalTensor out{view->shape, {}};
  TRY(out.data, tensor::to_floats(*view));
  if (!std::all_of(out.data.begin(), out.data.end(), [](float x) { return std::isfinite(x); }))
    return fail(Reason::bad_request, fmt::format("{} holds a number that is not finite", name));
  return out;
}

Result<Waves> read_waves(const tensor::Weights& inputs) {
  TRY(SignalTensor values, read_signal(inputs, "input_values", 2));
  Waves out;
  out.samples = std::move(values.data);
  out.width = values.shape[1];
  out.lengths.assign(values.shape[0], out.width);
  const tensor::TensorView* view = inputs.find("attention_mask");
  if (view == nullptr) return out;
  if (view->shape != values.shape)
    return fail(Reason::bad_request,
                fmt::format("attention_mask has shape {}, input_values {}", tensor::shape_text(view->shape),
                            tensor::shape_text(values.shape)));
  TRY(const std::vector<int64_t> mask, tensor::to_integers(*view));
  out.masked = true;
  for (size_t row = 0; row < out.height(); ++row) {
    const auto first = mask.begin() + static_cast<ptrdiff_t>(row * out.width);
    const auto last = first + static_cast<ptrdiff_t>(out.width);
    out.lengths[row] = static_cast<size_t>(std::count_if(first, last, [](int64_t m) { return m != 0; }));
  }
  return out;
}

}  // namespace holdfast::model
