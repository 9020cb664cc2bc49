#include "model/vision/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace holdfast::model {

Result<Images> read_images(const tensor::Weights& inputs, size_t channels) {
  const tensor::TensorView* view = inputs.find("pixel_values");
  if (view == nullptr) return fail(Reason::bad_request, "pixel_values is missing");
  if (view->shape.size() != 4)
    return fail(Reason::bad_request,
                fmt::format("pixel_values has shape {}, not [images, channels, height, width]",
                            tensor::shape_text(view->shape)));
  if (view->shape[1] != channels)
    return fail(Reason::bad_request,
                fmt::format("pixel_values has {} channels, the model reads {}", view->shape[1], channels));
  if (view->elements() == 0) return fail(Reason::bad_request, "pixel_values holds no image");
  Images out;
  out.count = view->shape[0];
  out.channels = channels;
  out.size = {view->shape[2], view->shape[3]};
  TRY(out.pixels, tensor::to_floats(*view));
  if (!std::all_of(out.pixels.begin(), out.pixels.end(), [](float x) { return std::isfinite(x); }))
    return fail(Reason::bad_request, "pixel_values holds a number that is not finite");
  return out;
}

Result<bool> read_switch(const tensor::Weights& inputs, std::string_view name) {
  const tensor::TensorView* view = inputs.find(name);
  if (view == nullptr) return false;
  if (view->elements() != 1) return fail(Reason::bad_request, fmt::format("{} must be one flag", name));
  TRY(const std::vector<int64_t> number, tensor::to_integers(*view));
  return number[0] != 0;
}

Status check_arguments(const tensor::Weights& inputs, std::initializer_list<std::string_view> names) {
  for (const std::string& name : inputs.names())
    if (std::find(names.begin(), names.end(), name) == names.end())
      return fail(Reason::model_unsupported,
                  fmt::format("the argument '{}' is not supported for this model", name.substr(0, 80)));
  return Done{};
}

NamedTensor named(std::string_view name, std::vector<uint64_t> shape, const tensor::Floats& data) {
  return {std::string(name), std::move(shape), {data.data(), data.data() + data.size()}};
}

}  // namespace holdfast::model
