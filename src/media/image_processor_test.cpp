#include "media/image_processor.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <cmath>
#include <string>

#include "io/reference_data.h"
#include "media/golden_folder.h"

namespace holdfast::media {
namespace {

boost::json::object config_of(std::string_view text) { return boost::json::parse(text).as_object(); }

// Every case far within the tolerance that golden.json states, which allows for resampling that rounds
// otherwise.
void run_golden(const std::filesystem::path& path) {
  const GoldenFolder folder(path);
  double worst = 0;
  ASSERT_FALSE(folder.cases().empty());
  for (const auto& row : folder.cases()) {
    const auto& one = row.as_object();
    const std::string name(one.at("output").as_string());
    const auto processor = ImageProcessor::parse(folder.json(std::string(one.at("config").as_string())));
    ASSERT_TRUE(processor.ok()) << name << ": " << processor.error().message;
    const auto image = decode_image(as_bytes(folder.text(std::string(one.at("image").as_string()))));
    ASSERT_TRUE(image.ok()) << name << ": " << image.error().message;
    const auto pixels = processor.value().run(image.value());
    ASSERT_TRUE(pixels.ok()) << name << ": " << pixels.error().message;
    const Pixels& made = pixels.value();
    const size_t stride = one.contains("stride") ? one.at("stride").to_number<size_t>() : 1;
    const size_t height = (made.height + stride - 1) / stride;
    const size_t width = (made.width + stride - 1) / stride;
    ASSERT_EQ((std::vector<size_t>{1, made.channels, height, width}), folder.shape(name)) << name;
    const auto wanted = folder.tensor<float>(name);
    ASSERT_EQ(wanted.size(), 3 * height * width) << name;
    double most = 0;
    for (size_t i = 0; i < wanted.size(); ++i) {
      const size_t c = i / (height * width);
      const size_t y = i / width % height * stride;
      const size_t x = i % width * stride;
      most = std::max(most, std::abs(double{made.data[(c * made.height + y) * made.width + x]} - wanted[i]));
    }
    EXPECT_LE(most, 1e-6) << name;
    worst = std::max(worst, most);
  }
  std::printf("%zu cases, greatest difference %g\n", folder.cases().size(), worst);
}

TEST(ImageProcessor, GivesThePixelsOfTransformersForEveryReferenceImage) {
  const auto path = io::reference_data("models/image-preprocessing");
  if (!path) GTEST_SKIP() << io::reference_data_missing;
  run_golden(*path);
}

TEST(ImageProcessor, AConfigurationThatCannotBeFollowedNamesItsKey) {
  struct Case {
    const char* config;
    const char* named;
  };
  const Case cases[] = {
      {R"({"image_processor_type": "ViTImageProcessor", "size": 0})", "size"},
      {R"({"image_processor_type": "ViTImageProcessor", "size": 224.5})", "size"},
      {R"({"image_processor_type": "ViTImageProcessor", "size": "large"})", "size"},
      {R"({"image_processor_type": "ViTImageProcessor", "size": {"height": 224}})", "size"},
      {R"({"image_processor_type": "ViTImageProcessor", "size": {"height": 224, "width": 224, "longest_edge": 9}})",
       "size"},
      {R"({"image_processor_type": "ViTImageProcessor", "size": {"longest_edge": 224}})", "longest_edge"},
      {R"({"image_processor_type": "ViTImageProcessor", "size": 1000000})", "size"},
      {R"({"image_processor_type": "ViTImageProcessor", "resample": 6})", "resample"},
      {R"({"image_processor_type": "ViTImageProcessor", "resample": "bicubic"})", "resample"},
      {R"({"image_processor_type": "ViTImageProcessor", "do_resize": "yes"})", "do_resize"},
      {R"({"image_processor_type": "ViTImageProcessor", "do_center_crop": true})", "crop_size"},
      {R"({"image_processor_type": "CLIPImageProcessor", "crop_size": {"shortest_edge": 3}})", "crop_size"},
      {R"({"image_processor_type": "ViTImageProcessor", "image_mean": [0.5, 0.5]})", "image_mean"},
      {R"({"image_processor_type": "ViTImageProcessor", "image_mean": [0.5, 0.5, 1e39]})", "image_mean"},
      {R"({"image_processor_type": "ViTImageProcessor", "image_std": [0.5, 0.5, 0]})", "image_std"},
      {R"({"image_processor_type": "ViTImageProcessor", "image_std": [0.5, 0.5, "a"]})", "image_std"},
      {R"({"image_processor_type": "ViTImageProcessor", "rescale_factor": "a"})", "rescale_factor"},
      {R"({"image_processor_type": "ConvNextImageProcessor", "size": {"height": 3, "width": 3}})",
       "shortest_edge"},
      {R"({"image_processor_type": "ConvNextImageProcessor", "crop_pct": 0})", "crop_pct"},
      {R"({"image_processor_type": "DetrImageProcessor", "size": {"shortest_edge": 800}})", "longest_edge"},
      {R"({"image_processor_type": "DonutImageProcessor", "size": 8, "do_align_long_axis": true})",
       "do_align_long_axis"},
      {R"({"image_processor_type": "DPTImageProcessor", "size": 8, "ensure_multiple_of": 2})",
       "ensure_multiple_of"},
      {R"({"image_processor_type": "DINOv3ViTImageProcessorFast", "size": 8})",
       "DINOv3ViTImageProcessorFast"},
      {R"({"image_processor_type": 7})", "image_processor_type"},
      {R"({"image_processor_type": "OtherImageProcessor"})", "OtherImageProcessor"},
  };
  for (const Case& one : cases) {
    const auto processor = ImageProcessor::parse(config_of(one.config));
    ASSERT_FALSE(processor.ok()) << one.config;
    EXPECT_NE(processor.error().message.find(one.named), std::string::npos)
        << one.config << ": " << processor.error().message;
  }
}

TEST(ImageProcessor, ATypeThatIsMissingOrUnknownIsReadByTheModelOrByItsKeys) {
  const auto by_model = ImageProcessor::parse(config_of("{}"), "dinov2");
  ASSERT_TRUE(by_model.ok());
  EXPECT_EQ(by_model.value().type(), "BitImageProcessor");
  const auto unknown = ImageProcessor::parse(config_of(
      R"({"image_processor_type": "NewImageProcessor", "size": 4, "image_mean": 0.5, "image_std": 0.25})"));
  ASSERT_TRUE(unknown.ok()) << unknown.error().message;
  const auto pixels = unknown.value().run({.width = 2, .height = 2, .pixels = std::vector<uint8_t>(12, 255)});
  ASSERT_TRUE(pixels.ok());
  EXPECT_EQ(pixels.value().data, std::vector<float>(48, 2.0F));
}

TEST(ImageProcessor, APictureTooLongForItsSizeIsRefusedBeforeItIsMade) {
  const auto processor =
      ImageProcessor::parse(config_of(R"({"image_processor_type": "CLIPImageProcessor"})"));
  ASSERT_TRUE(processor.ok());
  const Image thread{.width = 1, .height = 60'000, .pixels = std::vector<uint8_t>(180'000)};
  const auto pixels = processor.value().run(thread);
  ASSERT_FALSE(pixels.ok());
  EXPECT_EQ(pixels.error().reason, Reason::bad_request);
  EXPECT_FALSE(processor.value().run(Image()).ok());
}

TEST(ImageProcessor, ABatchOfUnequalPicturesIsRefusedWhereNothingPads) {
  const auto processor = ImageProcessor::parse(
      config_of(R"({"image_processor_type": "SiglipImageProcessor", "do_resize": false})"));
  ASSERT_TRUE(processor.ok());
  const Image images[] = {{.width = 2, .height = 1, .pixels = std::vector<uint8_t>(6)},
                          {.width = 1, .height = 2, .pixels = std::vector<uint8_t>(6)}};
  EXPECT_EQ(processor.value().run_batch(images).error().reason, Reason::bad_request);
  EXPECT_EQ(processor.value().run_batch({}).error().reason, Reason::bad_request);
}

}  // namespace
}  // namespace holdfast::media
