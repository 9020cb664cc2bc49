#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.h"
#include "media/image.h"
#include "media/resample_image.h"

namespace holdfast::media {

// What a model takes: data [C, H, W].
struct Pixels {
  size_t channels = 0;
  size_t height = 0;
  size_t width = 0;
  std::vector<float> data;
};

// `size` as transformers has it: both edges, the shortest edge (with a bound on the longest), or a frame to
// fit in.
struct SizeRule {
  enum class Kind : uint8_t { exact, shortest_edge, shortest_and_longest, longest_edge, fit };

  Kind kind = Kind::exact;
  size_t first = 0;   // Height, shortest edge, longest edge alone, greatest height.
  size_t second = 0;  // Width, bound on the longest edge, greatest width.
};

// How a class reads its size.
enum class Resizing : uint8_t {
  plain,
  conv_next,    // Below 384 larger by 1 / crop_pct, then the middle cut out; from 384 on warped.
  pool_former,  // Larger by 1 / crop_pct.
  levit,        // The shortest edge larger by 256 / 224.
  yolos,        // Both edges whole multiples of sixteen.
};

// The numbers that a preprocessor_config.json stands for, in the order in which they are used.
struct ImageSteps {
  bool crops_first = false;  // Perceiver: a square part of the middle, by size over crop.
  bool resizes = true;
  Resizing resizing = Resizing::plain;
  std::optional<SizeRule> size;
  Filter filter = Filter::bilinear;
  double crop_pct = 0;
  bool crops = false;
  std::optional<ImageSize> crop;
  bool swaps_colours = false;  // Blue first.
  bool rescales = true;
  double rescale_factor = 1 / 255.0;
  bool rescale_offset = false;  // One less afterwards.
  bool normalizes = true;
  bool divides_again = false;  // EfficientNet's include_top: by the deviation a second time.
  std::optional<std::array<double, 3>> mean;
  std::optional<std::array<double, 3>> deviation;
  bool pads = false;
  std::optional<ImageSize> pad;  // Filled up to this; without it to the largest of a batch.
};

// Python's int() of sizes that a rule gives; zero or far too large where the picture is very long.
Result<ImageSize> size_by_rule(const SizeRule& rule, ImageSize size);

// The middle of the picture; where it is smaller, black around it.
Image center_crop(const Image& image, ImageSize size);

// The size after resizing and cropping.
Result<ImageSize> size_after(const ImageSteps& steps, ImageSize size);

// All but padding.
Result<Pixels> pixels_by(const ImageSteps& steps, const Image& image);

}  // namespace holdfast::media
