#include "media/image_processor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <utility>

#include "codec/json.h"
#include "media/image_types.h"

namespace holdfast::media {
namespace {

namespace json = boost::json;

constexpr size_t batch_values_max = size_t{1} << 28;

// Every key that this file reads, and those that say nothing about pixels.
constexpr std::string_view known_keys[] = {"image_processor_type",
                                           "feature_extractor_type",
                                           "processor_class",
                                           "auto_map",
                                           "_valid_processor_keys",
                                           "model_input_names",
                                           "transformers_version",
                                           "use_fast",
                                           "do_convert_rgb",
                                           "do_resize",
                                           "size",
                                           "resample",
                                           "default_to_square",
                                           "do_center_crop",
                                           "crop_size",
                                           "do_rescale",
                                           "rescale_factor",
                                           "do_normalize",
                                           "image_mean",
                                           "image_std",
                                           "do_pad",
                                           "pad_size",
                                           "data_format",
                                           "input_data_format",
                                           "device",
                                           "return_tensors",
                                           "disable_grouping",
                                           "image_seq_length",
                                           "do_reduce_labels",
                                           "reduce_labels",
                                           "do_convert_annotations",
                                           "format",
                                           "num_labels",
                                           "ignore_index",
                                           "_processor_class",
                                           "backend"};

Error not_here(std::string message) { return fail(Reason::model_unsupported, std::move(message)); }

const json::value* given(const json::object& config, std::string_view key) {
  const json::value* value = config.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<size_t> edge_of(const json::value& value, std::string_view key) {
  double number = 0;
  if (value.is_int64()) number = static_cast<double>(value.get_int64());
  if (value.is_uint64()) number = static_cast<double>(value.get_uint64());
  if (value.is_double()) number = value.get_double();
  if (!(number >= 1 && number <= edge_max) || number != std::floor(number))
    return not_here(fmt::format("{} must be a whole number from 1 to {}", key, edge_max));
  return static_cast<size_t>(number);
}

// One number, [height, width], or one of the objects that transformers allows.
Result<SizeRule> read_size(const json::value& value, std::string_view key, bool square,
                           std::optional<size_t> longest) {
  using Kind = SizeRule::Kind;
  if (const json::array* list = value.if_array()) {
    if (list->size() != 2) return not_here(fmt::format("{} must be two numbers, height and width", key));
    TRY(const size_t height, edge_of((*list)[0], key));
    TRY(const size_t width, edge_of((*list)[1], key));
    return SizeRule{.kind = Kind::exact, .first = height, .second = width};
  }
  const json::object* object = value.if_object();
  if (object == nullptr) {
    TRY(const size_t edge, edge_of(value, key));
    if (square) return SizeRule{.kind = Kind::exact, .first = edge, .second = edge};
    if (longest) return SizeRule{.kind = Kind::shortest_and_longest, .first = edge, .second = *longest};
    return SizeRule{.kind = Kind::shortest_edge, .first = edge, .second = 0};
  }
  struct Form {
    Kind kind;
    std::string_view first;
    std::string_view second;
  };
  constexpr Form forms[] = {{Kind::exact, "height", "width"},
                            {Kind::shortest_and_longest, "shortest_edge", "longest_edge"},
                            {Kind::shortest_edge, "shortest_edge", ""},
                            {Kind::longest_edge, "longest_edge", ""},
                            {Kind::fit, "max_height", "max_width"}};
  const auto keys = std::ranges::count_if(*object, [](const auto& pair) { return !pair.value().is_null(); });
  for (const Form& form : forms) {
    const json::value* first = given(*object, form.first);
    const json::value* second = form.second.empty() ? nullptr : given(*object, form.second);
    if (first == nullptr || (second == nullptr) != form.second.empty() || keys != (second == nullptr ? 1 : 2))
      continue;
    SizeRule rule{.kind = form.kind, .first = 0, .second = 0};
    TRY(rule.first, edge_of(*first, fmt::format("{}.{}", key, form.first)));
    if (second != nullptr) {
      TRY(rule.second, edge_of(*second, fmt::format("{}.{}", key, form.second)));
    }
    return rule;
  }
  return not_here(fmt::format(
      "{} must have height and width, shortest_edge (and longest_edge), or max_height and max_width", key));
}

Result<ImageSize> read_both_edges(const json::value& value, std::string_view key) {
  TRY(const SizeRule rule, read_size(value, key, true, {}));
  if (rule.kind != SizeRule::Kind::exact) return not_here(fmt::format("{} must have height and width", key));
  return ImageSize{.height = rule.first, .width = rule.second};
}

Result<std::array<double, 3>> read_colours(const json::value& value, std::string_view key) {
  const auto number = [](const json::value& one) -> std::optional<double> {
    if (!one.is_number()) return {};
    const double result = one.to_number<double>();
    if (!std::isfinite(static_cast<float>(result))) return {};
    return result;
  };
  std::array<double, 3> colours{};
  const json::array* list = value.if_array();
  if (list != nullptr && list->size() != 3)
    return not_here(fmt::format("{} must have three numbers, it has {}", key, list->size()));
  for (size_t i = 0; i < 3; ++i) {
    const auto colour = number(list == nullptr ? value : (*list)[i]);
    if (!colour) return not_here(fmt::format("{} must be a number or three", key));
    colours[i] = *colour;
  }
  return colours;
}

// Changes `flag` where the configuration says something.
Status read_flag(const json::object& config, std::string_view key, bool& flag) {
  TRY(const auto value, codec::json_flag_if(config, key));
  if (value) flag = *value;
  return Done{};
}

Status read_resizing(const json::object& config, const ImageType& type, ImageSteps& steps) {
  bool square = type.square;
  TRY_DONE(read_flag(config, "default_to_square", square));
  std::optional<size_t> longest;
  if (type.has_old_keys) {
    square = false;
    longest = 1333;
    if (const json::value* value = given(config, "max_size")) {
      TRY(longest, edge_of(*value, "max_size"));
    }
  }
  if (const json::value* value = given(config, "size")) {
    TRY(steps.size, read_size(*value, "size", square, longest));
    if (!type.is_known) steps.resizes = true;
  }
  TRY_DONE(read_flag(config, "do_resize", steps.resizes));
  if (const json::value* value = given(config, "resample")) {
    if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > 5)
      return not_here("resample must be Pillow's number of a filter, 0 to 5");
    steps.filter = static_cast<Filter>(value->get_int64());
  }
  bool squared = false;  // KOSMOS-2's.
  if (type.name == "CLIPImageProcessor") TRY_DONE(read_flag(config, "use_square_size", squared));
  if (squared) steps.size = SizeRule{.kind = SizeRule::Kind::exact, .first = 224, .second = 224};
  if (steps.resizing == Resizing::conv_next || steps.resizing == Resizing::pool_former) {
    TRY(const auto part, codec::json_number_if(config, "crop_pct"));
    if (part) steps.crop_pct = *part;
    if (!(steps.crop_pct >= 1e-3 && steps.crop_pct <= 1e3)) return not_here("crop_pct must be above 0");
  }
  return Done{};
}

// What the class could not do with such a size.
Status check_size(const ImageType& type, const ImageSteps& steps) {
  using Kind = SizeRule::Kind;
  if (steps.crops_first && !(steps.size && steps.size->kind == Kind::exact))
    return not_here("size must have height and width");
  if (!steps.resizes) return Done{};
  if (!steps.size) return not_here("size is missing while do_resize is true");
  const Kind kind = steps.size->kind;
  const bool shortest = kind == Kind::shortest_edge || kind == Kind::shortest_and_longest;
  if (kind == Kind::longest_edge) return not_here("size has a longest_edge alone");
  if (type.is_detr && kind == Kind::shortest_edge)
    return not_here("size has a shortest_edge and no longest_edge");
  if (steps.resizing == Resizing::conv_next && !shortest) return not_here("size must have a shortest_edge");
  if ((steps.resizing == Resizing::pool_former || steps.resizing == Resizing::levit) && kind == Kind::fit)
    return not_here("size must have height and width or a shortest_edge");
  return Done{};
}

Status read_crop(const json::object& config, const ImageType& type, ImageSteps& steps) {
  if (const json::value* value = given(config, "crop_size")) {
    TRY(steps.crop, read_both_edges(*value, "crop_size"));
  }
  if (steps.crops_first) {
    TRY_DONE(read_flag(config, "do_center_crop", steps.crops_first));
  } else if (type.may_crop) {
    TRY_DONE(read_flag(config, "do_center_crop", steps.crops));
  }
  if ((steps.crops || steps.crops_first) && !steps.crop)
    return not_here("crop_size is missing while do_center_crop is true");
  return Done{};
}

Status read_colouring(const json::object& config, const ImageType& type, ImageSteps& steps) {
  TRY_DONE(read_flag(config, "do_rescale", steps.rescales));
  if (type.name == "OwlViTImageProcessor") TRY_DONE(read_flag(config, "rescale", steps.rescales));
  TRY(const auto factor, codec::json_number_if(config, "rescale_factor"));
  if (factor) steps.rescale_factor = *factor;
  if (const json::value* value = given(config, "image_mean")) {
    TRY(steps.mean, read_colours(*value, "image_mean"));
    if (!type.is_known) steps.normalizes = true;
  }
  if (const json::value* value = given(config, "image_std")) {
    TRY(steps.deviation, read_colours(*value, "image_std"));
  }
  if (type.name == "MobileViTImageProcessor") {
    TRY_DONE(read_flag(config, "do_flip_channel_order", steps.swaps_colours));
  } else {
    TRY_DONE(read_flag(config, "do_normalize", steps.normalizes));
  }
  if (type.name == "EfficientNetImageProcessor") {
    TRY_DONE(read_flag(config, "rescale_offset", steps.rescale_offset));
    TRY_DONE(read_flag(config, "include_top", steps.divides_again));
  }
  if (steps.normalizes && !steps.mean) return not_here("image_mean is missing while do_normalize is true");
  if (!steps.normalizes && !steps.divides_again) return Done{};
  if (!steps.deviation) return not_here("image_std is missing while do_normalize is true");
  for (const double deviation : *steps.deviation)
    if (static_cast<float>(deviation) == 0) return not_here("image_std holds a zero");
  return Done{};
}

Status read_padding(const json::object& config, const ImageType& type, ImageSteps& steps) {
  if (!type.may_pad) return Done{};
  if (type.has_old_keys) TRY_DONE(read_flag(config, "pad_and_return_pixel_mask", steps.pads));
  TRY_DONE(read_flag(config, "do_pad", steps.pads));
  if (const json::value* value = given(config, "pad_size")) {
    TRY(steps.pad, read_both_edges(*value, "pad_size"));
  }
  return Done{};
}

Result<ImageType> type_of(const json::object& config, std::string_view model_type) {
  TRY(auto name, codec::json_text_if(config, "image_processor_type"));
  if (!name) {
    TRY(name, codec::json_text_if(config, "feature_extractor_type"));
  }
  const std::string_view wanted = name ? *name : image_type_of_model(model_type);
  if (auto type = image_type(wanted)) return std::move(*type);
  if (const auto reason = why_not(wanted); !reason.empty())
    return not_here(fmt::format("image processors of the type {} cannot be run here: {}", wanted, reason));
  for (const auto& pair : config)
    if (!pair.value().is_null() &&
        std::ranges::find(known_keys, std::string_view(pair.key())) == std::end(known_keys))
      return not_here(fmt::format("the image processor '{}' has the key '{}', which is not understood here",
                                  wanted, std::string_view(pair.key())));
  if (given(config, "size") == nullptr && given(config, "image_mean") == nullptr)
    return not_here(fmt::format(
        "the image processor '{}' is not known here and says neither size nor image_mean", wanted));
  return unknown_image_type(wanted);
}

// To the right and below, with zeros.
void place(const Pixels& pixels, size_t height, size_t width, float* out) {
  for (size_t c = 0; c < pixels.channels; ++c)
    for (size_t y = 0; y < pixels.height; ++y)
      std::copy_n(pixels.data.data() + (c * pixels.height + y) * pixels.width, pixels.width,
                  out + (c * height + y) * width);
}

Error too_small(const Pixels& pixels, size_t height, size_t width) {
  return fail(Reason::bad_request, fmt::format("an image of {} by {} cannot be filled up to {} by {}",
                                               pixels.width, pixels.height, width, height));
}

}  // namespace

Result<ImageProcessor> ImageProcessor::parse(const json::object& config, std::string_view model_type) {
  TRY(const ImageType type, type_of(config, model_type));
  ImageSteps steps = type.steps;
  TRY_DONE(read_resizing(config, type, steps));
  TRY_DONE(read_crop(config, type, steps));
  TRY_DONE(check_size(type, steps));
  TRY_DONE(read_colouring(config, type, steps));
  TRY_DONE(read_padding(config, type, steps));
  return ImageProcessor(type.name, steps, type.is_detr);
}

Result<Pixels> ImageProcessor::run(const Image& image) const {
  TRY(Pixels pixels, pixels_by(steps_, image));
  if (!steps_.pads || !steps_.pad) return pixels;
  const auto [height, width] = *steps_.pad;
  if (pixels.height > height || pixels.width > width) return too_small(pixels, height, width);
  Pixels filled{.channels = pixels.channels, .height = height, .width = width, .data = {}};
  filled.data.resize(pixels.channels * height * width);
  place(pixels, height, width, filled.data.data());
  return filled;
}

Result<PixelBatch> ImageProcessor::run_batch(std::span<const Image> images) const {
  if (images.empty()) return fail(Reason::bad_request, "there are no images");
  // Sizes first: what a batch needs is known before any of it is made.
  ImageSize most = steps_.pads && steps_.pad ? *steps_.pad : ImageSize{};
  const bool fixed = most.height != 0;
  for (size_t i = 0; i < images.size(); ++i) {
    TRY(const ImageSize size, size_after({.height = images[i].height, .width = images[i].width}));
    if (fixed) continue;
    if (i > 0 && size != most && !steps_.pads)
      return fail(Reason::bad_request,
                  "the images of a batch come out in different sizes and the processor does not pad");
    most = {.height = std::max(most.height, size.height), .width = std::max(most.width, size.width)};
  }
  const size_t plane = most.height * most.width;
  if (images.size() > batch_values_max / 3 / plane)
    return fail(Reason::body_too_large, fmt::format("{} images of {} by {} are too much for one batch",
                                                    images.size(), most.width, most.height));
  PixelBatch batch{.count = images.size(),
                   .channels = 3,
                   .height = most.height,
                   .width = most.width,
                   .data = {},
                   .mask = {}};
  batch.data.resize(images.size() * 3 * plane);
  if (gives_mask()) batch.mask.resize(images.size() * plane);
  for (size_t i = 0; i < images.size(); ++i) {
    TRY(const Pixels pixels, pixels_by(steps_, images[i]));
    if (pixels.height > most.height || pixels.width > most.width)
      return too_small(pixels, most.height, most.width);
    place(pixels, most.height, most.width, batch.data.data() + i * 3 * plane);
    if (!gives_mask()) continue;
    for (size_t y = 0; y < pixels.height; ++y)
      std::fill_n(batch.mask.data() + i * plane + y * most.width, pixels.width, 1);
  }
  return batch;
}

}  // namespace holdfast::media
