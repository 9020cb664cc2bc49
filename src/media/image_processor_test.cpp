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

}  // namespace
}  // namespace holdfast::media
