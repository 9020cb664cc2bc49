#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/result.h"
#include "media/image.h"

namespace holdfast::media {

// Pillow's numbers, which are those of `resample` in a preprocessor_config.json.
enum class Filter : uint8_t { nearest = 0, lanczos = 1, bilinear = 2, bicubic = 3, box = 4, hamming = 5 };

// The part of the source that is resampled, in pixels; may lie between them.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

struct ImageSize {
  size_t height = 0;
  size_t width = 0;

  bool operator==(const ImageSize&) const = default;
};

constexpr size_t edge_max = 65'535;  // Of a picture that resampling makes.

// Pillow's Image.resize to the bit: across, then down, each in whole numbers with 22 bits behind the point,
// and a pass whose size does not change left out. A size of zero or beyond edge_max, an empty image, and a
// box that is not inside it are bad_request.
Result<Image> resample(const Image& image, ImageSize size, Filter filter, std::optional<Box> box = {});

}  // namespace holdfast::media
