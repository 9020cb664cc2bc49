#include "media/image_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace holdfast::media {
namespace {

constexpr size_t pixels_max = size_t{1} << 25;  // Of what a model is given: 400 MB of floats.

size_t whole(double value) { return value >= 1e9 ? size_t{1'000'000'000} : static_cast<size_t>(value); }

// size * a / b in Python's order.
size_t in_proportion(size_t size, size_t a, size_t b) {
  return whole(static_cast<double>(size * a) / static_cast<double>(b));
}

ImageSize by_shortest(size_t shortest, ImageSize size) {
  if (size.width <= size.height)
    return {.height = in_proportion(shortest, size.height, size.width), .width = shortest};
  return {.height = shortest, .width = in_proportion(shortest, size.width, size.height)};
}

// Both bounds hold; the rounding is transformers'.
struct Bounded {
  size_t shortest = 0;
  std::optional<double> raw;  // The shortest edge before it was rounded, where the longest edge decided.

  size_t longer(size_t a, size_t b) const {
    if (raw) return whole(*raw * static_cast<double>(a) / static_cast<double>(b));
    return in_proportion(shortest, a, b);
  }
};

Bounded bounded(const SizeRule& rule, ImageSize size) {
  const auto low = static_cast<double>(std::min(size.height, size.width));
  const auto high = static_cast<double>(std::max(size.height, size.width));
  const auto longest = static_cast<double>(rule.second);
  if (high / low * static_cast<double>(rule.first) <= longest) return {.shortest = rule.first, .raw = {}};
  const double raw = longest * low / high;
  return {.shortest = whole(std::nearbyint(raw)), .raw = raw};
}

ImageSize by_both(const SizeRule& rule, ImageSize size) {
  const Bounded edge = bounded(rule, size);
  if ((size.height <= size.width && size.height == edge.shortest) ||
      (size.width <= size.height && size.width == edge.shortest))
    return size;
  if (size.width < size.height)
    return {.height = edge.longer(size.height, size.width), .width = edge.shortest};
  return {.height = edge.shortest, .width = edge.longer(size.width, size.height)};
}

ImageSize by_both_of_sixteen(const SizeRule& rule, ImageSize size) {
  const Bounded edge = bounded(rule, size);
  ImageSize out;
  if (size.width < size.height) {
    out = {.height = edge.longer(size.height, size.width), .width = edge.shortest};
  } else if (size.height == edge.shortest) {
    out = size;
  } else {
    out = {.height = edge.shortest, .width = edge.longer(size.width, size.height)};
  }
  return {.height = out.height / 16 * 16, .width = out.width / 16 * 16};
}

ImageSize to_fit(const SizeRule& rule, ImageSize size) {
  const double scale = std::min(static_cast<double>(rule.first) / static_cast<double>(size.height),
                                static_cast<double>(rule.second) / static_cast<double>(size.width));
  return {.height = whole(static_cast<double>(size.height) * scale),
          .width = whole(static_cast<double>(size.width) * scale)};
}

size_t enlarged(size_t edge, double part) { return whole(static_cast<double>(edge) / part); }

bool has_shortest(const SizeRule& rule) {
  return rule.kind == SizeRule::Kind::shortest_edge || rule.kind == SizeRule::Kind::shortest_and_longest;
}

// The size to resample to.
Result<ImageSize> resized(const ImageSteps& steps, ImageSize size) {
  const SizeRule& rule = *steps.size;
  switch (steps.resizing) {
    case Resizing::plain:
      return size_by_rule(rule, size);
    case Resizing::yolos:
      if (rule.kind == SizeRule::Kind::shortest_and_longest) return by_both_of_sixteen(rule, size);
      return size_by_rule(rule, size);
    case Resizing::conv_next:
      if (rule.first < 384) return by_shortest(enlarged(rule.first, steps.crop_pct), size);
      return ImageSize{.height = rule.first, .width = rule.first};
    case Resizing::pool_former: {
      const ImageSize large{.height = enlarged(rule.first, steps.crop_pct),
                            .width = enlarged(rule.second, steps.crop_pct)};
      if (has_shortest(rule) || rule.first == rule.second) return by_shortest(large.height, size);
      return large;
    }
    case Resizing::levit:
      if (has_shortest(rule)) return by_shortest(whole(256 / 224.0 * static_cast<double>(rule.first)), size);
      return size_by_rule(rule, size);
  }
  return fail(Code::internal, "a resizing without a rule");
}

Status check(ImageSize size) {
  if (size.height == 0 || size.width == 0 || size.height > edge_max || size.width > edge_max ||
      size.height > pixels_max / size.width)
    return fail(
        Reason::bad_request,
        fmt::format("the image is too long or too large for this model's size: it would become {} by {}",
                    size.width, size.height));
  return Done{};
}

// Perceiver's part of the middle.
ImageSize first_crop(const ImageSteps& steps, ImageSize size) {
  const auto edge = static_cast<double>(std::min(size.height, size.width));
  const auto part = [&](size_t of, size_t over) {
    return whole(static_cast<double>(of) / static_cast<double>(over) * edge);
  };
  return {.height = part(steps.size->first, steps.crop->height),
          .width = part(steps.size->second, steps.crop->width)};
}

// What follows resampling: ConvNeXT's own crop, then the configured one.
std::optional<ImageSize> inner_crop(const ImageSteps& steps) {
  if (!steps.resizes || steps.resizing != Resizing::conv_next || steps.size->first >= 384) return {};
  return ImageSize{.height = steps.size->first, .width = steps.size->first};
}

int64_t floor_half(int64_t value) { return value >= 0 ? value / 2 : -((1 - value) / 2); }

// Each of the 256 values a colour can have, through every step. In the precisions numpy takes.
std::array<float, 256> values_of(const ImageSteps& steps, size_t colour) {
  std::array<float, 256> values{};
  for (size_t i = 0; i < values.size(); ++i) {
    float value = static_cast<float>(i);
    if (steps.rescales) {
      value = static_cast<float>(static_cast<double>(i) * steps.rescale_factor);
      if (steps.rescale_offset) value -= 1;
    }
    if (steps.normalizes)
      value = (value - static_cast<float>((*steps.mean)[colour])) /
              static_cast<float>((*steps.deviation)[colour]);
    if (steps.divides_again) value = value / static_cast<float>((*steps.deviation)[colour]);
    values[i] = value;
  }
  return values;
}

}  // namespace

Result<ImageSize> size_by_rule(const SizeRule& rule, ImageSize size) {
  switch (rule.kind) {
    case SizeRule::Kind::exact:
      return ImageSize{.height = rule.first, .width = rule.second};
    case SizeRule::Kind::shortest_edge:
      return by_shortest(rule.first, size);
    case SizeRule::Kind::shortest_and_longest:
      return by_both(rule, size);
    case SizeRule::Kind::fit:
      return to_fit(rule, size);
    case SizeRule::Kind::longest_edge:
      break;
  }
  return fail(Reason::model_unsupported, "size has a longest_edge alone");
}

Image center_crop(const Image& image, ImageSize size) {
  Image out{.width = size.width,
            .height = size.height,
            .pixels = std::vector<uint8_t>(size.width * size.height * 3)};
  // Where the cut begins in the picture; before it where the picture is smaller. Of an odd rest the cut is
  // the earlier one and the border the later one, which are both rounding down.
  const auto top = floor_half(static_cast<int64_t>(image.height) - static_cast<int64_t>(size.height));
  const auto left = floor_half(static_cast<int64_t>(image.width) - static_cast<int64_t>(size.width));
  const auto from = static_cast<size_t>(std::max<int64_t>(left, 0));
  const auto to = static_cast<size_t>(std::max<int64_t>(-left, 0));
  const size_t count = std::min(image.width - from, size.width - to);
  for (size_t y = 0; y < size.height; ++y) {
    const int64_t row = top + static_cast<int64_t>(y);
    if (row < 0 || row >= static_cast<int64_t>(image.height)) continue;
    const uint8_t* source = image.pixels.data() + (static_cast<size_t>(row) * image.width + from) * 3;
    std::copy_n(source, count * 3, out.pixels.data() + (y * size.width + to) * 3);
  }
  return out;
}

Result<ImageSize> size_after(const ImageSteps& steps, ImageSize size) {
  if (size.height == 0 || size.width == 0) return fail(Reason::bad_request, "the image has no pixels");
  if (steps.crops_first) size = first_crop(steps, size);
  TRY_DONE(check(size));
  if (steps.resizes) {
    TRY(size, resized(steps, size));
    TRY_DONE(check(size));
  }
  if (const auto crop = inner_crop(steps)) size = *crop;
  if (steps.crops) size = *steps.crop;
  TRY_DONE(check(size));
  return size;
}

Result<Pixels> pixels_by(const ImageSteps& steps, const Image& given) {
  TRY(const ImageSize last, size_after(steps, {.height = given.height, .width = given.width}));
  Image made;
  const Image* image = &given;
  const auto becomes = [&](Image next) {
    made = std::move(next);
    image = &made;
  };
  if (steps.crops_first) becomes(center_crop(*image, first_crop(steps, {given.height, given.width})));
  if (steps.resizes) {
    TRY(const ImageSize size, resized(steps, {.height = image->height, .width = image->width}));
    TRY(Image next, resample(*image, size, steps.filter));
    becomes(std::move(next));
  }
  if (const auto crop = inner_crop(steps)) becomes(center_crop(*image, *crop));
  if (steps.crops) becomes(center_crop(*image, *steps.crop));

  Pixels pixels{.channels = 3, .height = last.height, .width = last.width, .data = {}};
  const size_t plane = last.height * last.width;
  pixels.data.resize(plane * 3);
  for (size_t c = 0; c < 3; ++c) {
    const std::array<float, 256> values = values_of(steps, c);
    const uint8_t* source = image->pixels.data() + (steps.swaps_colours ? 2 - c : c);
    float* target = pixels.data.data() + c * plane;
    for (size_t i = 0; i < plane; ++i) target[i] = values[source[i * 3]];
  }
  return pixels;
}

}  // namespace holdfast::media
