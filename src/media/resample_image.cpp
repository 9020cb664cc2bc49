#include "media/resample_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <utility>
#include <vector>

namespace holdfast::media {
namespace {

constexpr int fraction_bits = 32 - 8 - 2;  // Behind the point of a weight; what 8 bits and two signs leave.

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

// How far a filter reaches to each side, in pixels of the coarser picture.
double reach(Filter filter) {
  switch (filter) {
    case Filter::nearest:
      return 0;
    case Filter::box:
      return 0.5;
    case Filter::bilinear:
    case Filter::hamming:
      return 1;
    case Filter::bicubic:
      return 2;
    case Filter::lanczos:
      return 3;
  }
  return 0;
}

double weight(Filter filter, double x) {
  switch (filter) {
    case Filter::nearest:
      return 0;
    case Filter::box:
      return x > -0.5 && x <= 0.5 ? 1 : 0;
    case Filter::bilinear:
      x = std::abs(x);
      return x < 1 ? 1 - x : 0;
    case Filter::hamming:
      x = std::abs(x);
      if (x == 0) return 1;
      if (x >= 1) return 0;
      x *= std::numbers::pi;
      return std::sin(x) / x * (0.54F + 0.46F * std::cos(x));
    case Filter::bicubic: {
      constexpr double a = -0.5;
      x = std::abs(x);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
      return 0;
    }
    case Filter::lanczos:
      return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
  return 0;
}

// Of one direction: output i is the sum over j < count of weights[i * taps + j] * input first + j.
struct Weights {
  struct Range {
    size_t first = 0;
    size_t count = 0;
  };

  size_t taps = 0;
  std::vector<Range> ranges;
  std::vector<int32_t> values;
};

// The bounds are single precision, as Pillow takes them.
Weights weights_of(size_t in, float from, float to, size_t out, Filter filter) {
  const double scale = static_cast<double>(to - from) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);
  const double support = reach(filter) * stretch;
  Weights weights;
  weights.taps = static_cast<size_t>(std::ceil(support)) * 2 + 1;
  weights.ranges.resize(out);
  weights.values.assign(out * weights.taps, 0);
  std::vector<double> row(weights.taps);
  for (size_t i = 0; i < out; ++i) {
    const double center = from + (static_cast<double>(i) + 0.5) * scale;
    const auto first = static_cast<int64_t>(std::max(center - support + 0.5, 0.0));
    const auto end = std::min(static_cast<int64_t>(center + support + 0.5), static_cast<int64_t>(in));
    const auto count =
        static_cast<size_t>(std::clamp<int64_t>(end - first, 0, static_cast<int64_t>(weights.taps)));
    double sum = 0;
    for (size_t j = 0; j < count; ++j) {
      row[j] = weight(filter,
                      (static_cast<double>(j) + static_cast<double>(first) - center + 0.5) * (1 / stretch));
      sum += row[j];
    }
    for (size_t j = 0; j < count; ++j) {
      const double part = (sum != 0 ? row[j] / sum : row[j]) * (1 << fraction_bits);
      weights.values[i * weights.taps + j] = static_cast<int32_t>(part < 0 ? part - 0.5 : part + 0.5);
    }
    weights.ranges[i] = {.first = static_cast<size_t>(first), .count = count};
  }
  return weights;
}

uint8_t clipped(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> fraction_bits, 0, 255)); }

constexpr int32_t half = 1 << (fraction_bits - 1);

// Rows `first` to `first + rows` of the image, narrowed or widened to the weights' outputs.
Image across(const Image& image, const Weights& weights, size_t first, size_t rows) {
  const size_t width = weights.ranges.size();
  Image out{.width = width, .height = rows, .pixels = std::vector<uint8_t>(width * rows * 3)};
  for (size_t y = 0; y < rows; ++y) {
    const uint8_t* source = image.pixels.data() + (first + y) * image.width * 3;
    uint8_t* target = out.pixels.data() + y * width * 3;
    for (size_t x = 0; x < width; ++x) {
      const auto [at, count] = weights.ranges[x];
      const int32_t* factor = weights.values.data() + x * weights.taps;
      const uint8_t* pixel = source + at * 3;
      int32_t red = half;
      int32_t green = half;
      int32_t blue = half;
      for (size_t j = 0; j < count; ++j, pixel += 3) {
        red += pixel[0] * factor[j];
        green += pixel[1] * factor[j];
        blue += pixel[2] * factor[j];
      }
      target[x * 3] = clipped(red);
      target[x * 3 + 1] = clipped(green);
      target[x * 3 + 2] = clipped(blue);
    }
  }
  return out;
}

// `image` begins at row `first` of what the weights count in. Whole rows at a time, which compilers do in
// vectors.
Image down(const Image& image, const Weights& weights, size_t first) {
  const size_t height = weights.ranges.size();
  const size_t row_bytes = image.width * 3;
  Image out{.width = image.width, .height = height, .pixels = std::vector<uint8_t>(row_bytes * height)};
  std::vector<int32_t> sums(row_bytes);
  for (size_t y = 0; y < height; ++y) {
    std::ranges::fill(sums, half);
    const auto [at, count] = weights.ranges[y];
    for (size_t j = 0; j < count; ++j) {
      const int32_t factor = weights.values[y * weights.taps + j];
      const uint8_t* source = image.pixels.data() + (at - first + j) * row_bytes;
      for (size_t i = 0; i < row_bytes; ++i) sums[i] += source[i] * factor;
    }
    uint8_t* target = out.pixels.data() + y * row_bytes;
    for (size_t i = 0; i < row_bytes; ++i) target[i] = clipped(sums[i]);
  }
  return out;
}

// Where each output pixel of one direction lies in the source. Steps are added up, as Pillow does, so that
// the same pixels come out where a position falls between two.
std::vector<size_t> positions(size_t in, float from, float to, size_t out) {
  const double step = static_cast<double>(to - from) / static_cast<double>(out);
  std::vector<size_t> result(out);
  double at = from + step * 0.5;
  for (size_t& position : result) {
    position = std::min(static_cast<size_t>(std::max(at, 0.0)), in - 1);
    at += step;
  }
  return result;
}

Image nearest(const Image& image, ImageSize size, const Box& box) {
  const auto columns =
      positions(image.width, static_cast<float>(box.left), static_cast<float>(box.right), size.width);
  const auto rows =
      positions(image.height, static_cast<float>(box.top), static_cast<float>(box.bottom), size.height);
  Image out{.width = size.width,
            .height = size.height,
            .pixels = std::vector<uint8_t>(size.width * size.height * 3)};
  uint8_t* target = out.pixels.data();
  for (const size_t y : rows)
    for (const size_t x : columns) {
      std::memcpy(target, image.pixels.data() + (y * image.width + x) * 3, 3);
      target += 3;
    }
  return out;
}

Status check(const Image& image, ImageSize size, const Box& box) {
  if (image.width == 0 || image.height == 0 || image.pixels.size() != image.width * image.height * 3)
    return fail(Reason::bad_request, "there is no image to resample");
  if (size.width == 0 || size.height == 0 || size.width > edge_max || size.height > edge_max)
    return fail(Reason::bad_request, fmt::format("an image cannot become {} by {}: edges are 1 to {}",
                                                 size.width, size.height, edge_max));
  const bool inside = box.left >= 0 && box.top >= 0 && box.right <= static_cast<double>(image.width) &&
                      box.bottom <= static_cast<double>(image.height);
  if (!inside || !(box.left < box.right) || !(box.top < box.bottom))
    return fail(Reason::bad_request, "the part to resample is empty or not inside the image");
  return Done{};
}

}  // namespace

Result<Image> resample(const Image& image, ImageSize size, Filter filter, std::optional<Box> given) {
  const Box whole{.left = 0,
                  .top = 0,
                  .right = static_cast<double>(image.width),
                  .bottom = static_cast<double>(image.height)};
  const Box box = given.value_or(whole);
  TRY_DONE(check(image, size, box));
  const bool narrow = size.width != image.width || box.left != 0 || box.right != whole.right;
  const bool low = size.height != image.height || box.top != 0 || box.bottom != whole.bottom;
  if (!narrow && !low) return image;
  if (filter == Filter::nearest) return nearest(image, size, box);

  const Weights rows = weights_of(image.height, static_cast<float>(box.top), static_cast<float>(box.bottom),
                                  size.height, filter);
  if (!narrow) return down(image, rows, 0);
  const Weights columns = weights_of(image.width, static_cast<float>(box.left), static_cast<float>(box.right),
                                     size.width, filter);
  if (!low) return across(image, columns, 0, image.height);
  // Pillow 13's order, which rounding in between makes visible: a height that shrinks far more than the width
  // goes first. Decided by the whole image, whatever the box.
  if (size.height < image.height && image.height + 2 * size.width > size.height + 2 * image.width)
    return across(down(image, rows, 0), columns, 0, size.height);
  // Only the rows that the second pass reads.
  const size_t first = rows.ranges.front().first;
  const size_t end = rows.ranges.back().first + rows.ranges.back().count;
  return down(across(image, columns, first, end - first), rows, first);
}

}  // namespace holdfast::media
