#pragma once

#include <string_view>
#include <vector>

#include "model/padded_batch.h"
#include "tensor/weights.h"

namespace holdfast::model {

// Rows and columns: of an image in pixels, of a grid in patches, of a kernel.
struct Extent {
  size_t height = 0, width = 0;
  size_t area() const { return height * width; }
  friend bool operator==(const Extent&, const Extent&) = default;
};

// Images of one call, all of one size, each [channels, height, width].
struct Images {
  size_t count = 0, channels = 0;
  Extent size;
  std::vector<float> pixels;

  size_t numbers() const { return channels * size.area(); }  // Of one image.
  const float* image(size_t index) const { return pixels.data() + index * numbers(); }
};

// `pixel_values` [B, channels, H, W]. bad_request for another shape, no image, or a pixel that is not finite.
Result<Images> read_images(const tensor::Weights& inputs, size_t channels);
// An argument that is one flag; false where it is missing.
Result<bool> read_switch(const tensor::Weights& inputs, std::string_view name);
// model_unsupported for an argument that is none of `names`, which would be left out of the answer.
Status check_arguments(const tensor::Weights& inputs, std::initializer_list<std::string_view> names);

NamedTensor named(std::string_view name, std::vector<uint64_t> shape, const tensor::Floats& data);

}  // namespace holdfast::model
