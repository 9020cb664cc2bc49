#include "media/image_types.h"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::media {
namespace {

using Colours = std::array<double, 3>;
constexpr Colours imagenet_mean{0.485, 0.456, 0.406};
constexpr Colours imagenet_deviation{0.229, 0.224, 0.225};
constexpr Colours middle{0.5, 0.5, 0.5};
constexpr Colours clip_mean{0.48145466, 0.4578275, 0.40821073};
constexpr Colours clip_deviation{0.26862954, 0.26130258, 0.27577711};

constexpr SizeRule square_of(size_t edge) {
  return {.kind = SizeRule::Kind::exact, .first = edge, .second = edge};
}
constexpr SizeRule shortest(size_t edge) {
  return {.kind = SizeRule::Kind::shortest_edge, .first = edge, .second = 0};
}
constexpr ImageSize both(size_t edge) { return {.height = edge, .width = edge}; }

ImageSteps steps_of(SizeRule size, Filter filter, const Colours& mean, const Colours& deviation) {
  ImageSteps steps;
  steps.size = size;
  steps.filter = filter;
  steps.mean = mean;
  steps.deviation = deviation;
  return steps;
}

// Resized by its shortest edge, then the middle of it.
ImageSteps middle_of(size_t size, size_t crop, Filter filter, const Colours& mean, const Colours& deviation) {
  ImageSteps steps = steps_of(shortest(size), filter, mean, deviation);
  steps.crops = true;
  steps.crop = both(crop);
  return steps;
}

// With a crop that is not done unless the configuration says so.
ImageSteps with_crop(ImageSteps steps, size_t crop) {
  steps.crop = both(crop);
  return steps;
}

ImageType detr(std::string name, Resizing resizing) {
  ImageSteps steps = steps_of({.kind = SizeRule::Kind::shortest_and_longest, .first = 800, .second = 1333},
                              Filter::bilinear, imagenet_mean, imagenet_deviation);
  steps.resizing = resizing;
  steps.pads = true;
  return {.name = std::move(name),
          .steps = steps,
          .square = false,
          .may_crop = false,
          .is_detr = true,
          .has_old_keys = true};
}

ImageType rt_detr() {
  ImageSteps steps = steps_of(square_of(640), Filter::bilinear, imagenet_mean, imagenet_deviation);
  steps.normalizes = false;
  return {
      .name = "RTDetrImageProcessor", .steps = steps, .square = false, .may_crop = false, .is_detr = true};
}

ImageType conv_next() {
  ImageSteps steps = steps_of(shortest(384), Filter::bicubic, middle, middle);
  steps.resizing = Resizing::conv_next;
  steps.crop_pct = 224 / 256.0;
  return {.name = "ConvNextImageProcessor", .steps = steps, .square = false, .may_pad = false};
}

ImageType efficient_net() {
  ImageSteps steps = with_crop(steps_of(square_of(346), Filter::bicubic, middle, middle), 289);
  steps.divides_again = true;
  return {.name = "EfficientNetImageProcessor", .steps = steps, .may_pad = false};
}

ImageType pool_former() {
  ImageSteps steps = middle_of(224, 224, Filter::bicubic, imagenet_mean, imagenet_deviation);
  steps.resizing = Resizing::pool_former;
  steps.crop_pct = 0.9;
  return {.name = "PoolFormerImageProcessor", .steps = steps, .square = false};
}

ImageType levit() {
  ImageSteps steps = middle_of(224, 224, Filter::bicubic, imagenet_mean, imagenet_deviation);
  steps.resizing = Resizing::levit;
  return {.name = "LevitImageProcessor", .steps = steps, .square = false};
}

ImageType mobile_vit() {
  ImageSteps steps = middle_of(224, 256, Filter::bicubic, middle, middle);
  steps.normalizes = false;
  steps.swaps_colours = true;
  return {.name = "MobileViTImageProcessor", .steps = steps, .square = false, .may_pad = false};
}

ImageType perceiver() {
  ImageSteps steps =
      with_crop(steps_of(square_of(224), Filter::bicubic, imagenet_mean, imagenet_deviation), 256);
  steps.crops_first = true;
  return {.name = "PerceiverImageProcessor", .steps = steps, .may_crop = false, .may_pad = false};
}

ImageType chameleon() {
  ImageSteps steps = middle_of(512, 512, Filter::lanczos, {1, 1, 1}, {1, 1, 1});
  steps.rescale_factor = 0.0078;
  return {.name = "ChameleonImageProcessor", .steps = steps, .square = false};
}

ImageType dei_t() {
  ImageSteps steps = with_crop(steps_of(square_of(256), Filter::bicubic, middle, middle), 224);
  steps.crops = true;
  return {.name = "DeiTImageProcessor", .steps = steps};
}

const std::vector<ImageType>& types() {
  static const std::vector<ImageType> rows = {
      {.name = "ViTImageProcessor", .steps = steps_of(square_of(224), Filter::bilinear, middle, middle)},
      dei_t(),
      {.name = "CLIPImageProcessor",
       .steps = middle_of(224, 224, Filter::bicubic, clip_mean, clip_deviation),
       .square = false},
      {.name = "ChineseCLIPImageProcessor",
       .steps = middle_of(224, 224, Filter::bicubic, clip_mean, clip_deviation),
       .square = false},
      {.name = "BitImageProcessor",
       .steps = middle_of(224, 224, Filter::bicubic, clip_mean, clip_deviation),
       .square = false},
      {.name = "SiglipImageProcessor",
       .steps = steps_of(square_of(224), Filter::bicubic, middle, middle),
       .square = false},
      {.name = "BlipImageProcessor",
       .steps = steps_of(square_of(384), Filter::bicubic, clip_mean, clip_deviation)},
      {.name = "PvtImageProcessor",
       .steps = steps_of(square_of(224), Filter::bicubic, imagenet_mean, imagenet_deviation)},
      {.name = "OwlViTImageProcessor",
       .steps = with_crop(steps_of(square_of(768), Filter::bicubic, clip_mean, clip_deviation), 768)},
      {.name = "BeitImageProcessor",
       .steps = with_crop(steps_of(square_of(224), Filter::bicubic, middle, middle), 224),
       .may_pad = false},
      {.name = "SegformerImageProcessor",
       .steps = steps_of(square_of(512), Filter::bilinear, imagenet_mean, imagenet_deviation),
       .may_crop = false,
       .may_pad = false},
      {.name = "MobileNetV1ImageProcessor",
       .steps = middle_of(256, 224, Filter::bilinear, middle, middle),
       .square = false},
      {.name = "MobileNetV2ImageProcessor",
       .steps = middle_of(256, 224, Filter::bilinear, middle, middle),
       .square = false,
       .may_pad = false},
      mobile_vit(),
      conv_next(),
      efficient_net(),
      pool_former(),
      levit(),
      perceiver(),
      chameleon(),
      detr("DetrImageProcessor", Resizing::plain),
      detr("ConditionalDetrImageProcessor", Resizing::plain),
      detr("DeformableDetrImageProcessor", Resizing::plain),
      detr("YolosImageProcessor", Resizing::yolos),
      rt_detr(),
  };
  return rows;
}

struct Pair {
  std::string_view key;
  std::string_view value;
};

std::string_view found(std::span<const Pair> pairs, std::string_view key) {
  const auto row = std::ranges::find(pairs, key, &Pair::key);
  return row == pairs.end() ? std::string_view() : row->value;
}

constexpr Pair of_models[] = {
    {"vit", "ViTImageProcessor"},
    {"vit_mae", "ViTImageProcessor"},
    {"vit_msn", "ViTImageProcessor"},
    {"swin", "ViTImageProcessor"},
    {"swinv2", "ViTImageProcessor"},
    {"swiftformer", "ViTImageProcessor"},
    {"trocr", "ViTImageProcessor"},
    {"mgp-str", "ViTImageProcessor"},
    {"clipseg", "ViTImageProcessor"},
    {"deit", "DeiTImageProcessor"},
    {"clip", "CLIPImageProcessor"},
    {"clip_vision_model", "CLIPImageProcessor"},
    {"altclip", "CLIPImageProcessor"},
    {"xclip", "CLIPImageProcessor"},
    {"chinese_clip", "ChineseCLIPImageProcessor"},
    {"siglip", "SiglipImageProcessor"},
    {"siglip_vision_model", "SiglipImageProcessor"},
    {"blip", "BlipImageProcessor"},
    {"blip-2", "BlipImageProcessor"},
    {"bit", "BitImageProcessor"},
    {"dinov2", "BitImageProcessor"},
    {"dinov2_with_registers", "BitImageProcessor"},
    {"convnext", "ConvNextImageProcessor"},
    {"convnextv2", "ConvNextImageProcessor"},
    {"resnet", "ConvNextImageProcessor"},
    {"regnet", "ConvNextImageProcessor"},
    {"cvt", "ConvNextImageProcessor"},
    {"beit", "BeitImageProcessor"},
    {"data2vec-vision", "BeitImageProcessor"},
    {"segformer", "SegformerImageProcessor"},
    {"upernet", "SegformerImageProcessor"},
    {"pvt", "PvtImageProcessor"},
    {"pvt_v2", "PvtImageProcessor"},
    {"owlvit", "OwlViTImageProcessor"},
    {"mobilenet_v1", "MobileNetV1ImageProcessor"},
    {"mobilenet_v2", "MobileNetV2ImageProcessor"},
    {"mobilevit", "MobileViTImageProcessor"},
    {"mobilevitv2", "MobileViTImageProcessor"},
    {"efficientnet", "EfficientNetImageProcessor"},
    {"align", "EfficientNetImageProcessor"},
    {"poolformer", "PoolFormerImageProcessor"},
    {"levit", "LevitImageProcessor"},
    {"perceiver", "PerceiverImageProcessor"},
    {"detr", "DetrImageProcessor"},
    {"table-transformer", "DetrImageProcessor"},
    {"conditional_detr", "ConditionalDetrImageProcessor"},
    {"deformable_detr", "DeformableDetrImageProcessor"},
    {"yolos", "YolosImageProcessor"},
    {"rt_detr", "RTDetrImageProcessor"},
};

// Their keys look common and what they do is not.
constexpr Pair refused[] = {
    {"DINOv3ViTImageProcessor", "it resamples numbers with fractions"},
    {"LayoutLMv2ImageProcessor", "it reads the text in the image"},
    {"LayoutLMv3ImageProcessor", "it reads the text in the image"},
    {"Owlv2ImageProcessor", "it resamples numbers with fractions"},
    {"TimmWrapperImageProcessor", "timm's own settings are not read here"},
    {"LlavaImageProcessor", "models that take images beside text are not run here"},
    {"LlavaNextImageProcessor", "models that take images beside text are not run here"},
    {"LlavaOnevisionImageProcessor", "models that take images beside text are not run here"},
    {"Gemma3ImageProcessor", "models that take images beside text are not run here"},
    {"Pix2StructImageProcessor", "it cuts patches of its own"},
};

// "CLIPFeatureExtractor", "CLIPImageProcessorFast" and "CLIPImageProcessorPil" are all the same class.
std::string plain_name(std::string_view name) {
  for (const std::string_view end : {"Fast", "Pil"})
    if (name.ends_with(end)) name.remove_suffix(end.size());
  constexpr std::string_view old = "FeatureExtractor";
  if (!name.ends_with(old)) return std::string(name);
  return std::string(name.substr(0, name.size() - old.size())) + "ImageProcessor";
}

}  // namespace

std::optional<ImageType> image_type(std::string_view name) {
  const auto row = std::ranges::find(types(), plain_name(name), &ImageType::name);
  if (row == types().end()) return {};
  return *row;
}

std::string_view image_type_of_model(std::string_view model_type) { return found(of_models, model_type); }

std::string_view why_not(std::string_view name) { return found(refused, plain_name(name)); }

ImageType unknown_image_type(std::string_view name) {
  ImageType type{.name = plain_name(name), .steps = {}, .is_known = false};
  type.steps.resizes = false;
  type.steps.normalizes = false;
  return type;
}

}  // namespace holdfast::media
