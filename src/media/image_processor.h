#pragma once

#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "media/image.h"
#include "media/image_steps.h"

namespace holdfast::media {

// data [B, C, H, W]. The mask [B, H, W] is 1 where a picture lies and 0 where it was filled up; empty for
// processors whose models take none.
struct PixelBatch {
  size_t count = 0;
  size_t channels = 0;
  size_t height = 0;
  size_t width = 0;
  std::vector<float> data;
  std::vector<int64_t> mask;
};

// The steps of a preprocessor_config.json, each as the class it names does it with Pillow and numpy.
// Immutable.
class ImageProcessor {
 public:
  // By image_processor_type, or feature_extractor_type as older folders say, or the model_type of config.json
  // where neither is there; another type is read by its keys. Keys that are missing are the class's own
  // defaults. What would change pixels and cannot be done here is model_unsupported and names the key.
  static Result<ImageProcessor> parse(const boost::json::object& preprocessor_config,
                                      std::string_view model_type = {});

  // One picture; filled up with zeros to the right and below where the configuration gives a size for that.
  Result<Pixels> run(const Image& image) const;
  // Pictures of unequal size are filled up to the largest where the processor pads, and bad_request where
  // not.
  Result<PixelBatch> run_batch(std::span<const Image> images) const;
  // The size that a picture of this one has before it is filled up.
  Result<ImageSize> size_after(ImageSize size) const { return media::size_after(steps_, size); }

  const std::string& type() const { return type_; }          // "ViTImageProcessor"; may be empty.
  bool gives_mask() const { return masks_ && steps_.pads; }  // DETR and its kin.
  const ImageSteps& steps() const { return steps_; }

 private:
  ImageProcessor(std::string type, ImageSteps steps, bool masks)
      : type_(std::move(type)), steps_(steps), masks_(masks) {}

  std::string type_;
  ImageSteps steps_;
  bool masks_;
};

}  // namespace holdfast::media
