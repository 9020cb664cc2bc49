#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "media/image_steps.h"

namespace holdfast::media {

// What a class of image processor does when a configuration says nothing, and which steps it has at all.
struct ImageType {
  std::string name;
  ImageSteps steps;
  bool square = true;         // A size of one number means both edges, else the shortest.
  bool may_crop = true;       // do_center_crop means something.
  bool may_pad = true;        // do_pad means something.
  bool is_detr = false;       // A mask beside the pixels; never a shortest edge alone.
  bool has_old_keys = false;  // DETR's first spellings: max_size, pad_and_return_pixel_mask.
  bool is_known = true;       // Keys that are not its own change nothing.
};

// The class of this name, which may end in Fast, or be a feature extractor's of old. nullopt: no such class
// here.
std::optional<ImageType> image_type(std::string_view name);

// The class that models of config.json's `model_type` have been trained with; empty where it is not known
// here.
std::string_view image_type_of_model(std::string_view model_type);

// Why a class that transformers has cannot be run here; empty where nothing is known against it.
std::string_view why_not(std::string_view name);

// Of a class that is not known: all that its configuration does not say is left out.
ImageType unknown_image_type(std::string_view name);

}  // namespace holdfast::media
