// tests/golden/media: what Pillow, transformers, scipy and libsndfile made of small inputs, by
// tools/make_media_goldens.py.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "media/golden_folder.h"
#include "media/image.h"
#include "media/image_processor.h"
#include "media/resample_image.h"
#include "media/resample_sound.h"
#include "media/sound.h"
#include "media/sound_processor.h"

namespace holdfast::media {
namespace {

using boost::json::object;

std::string text_of(const object& one, std::string_view key) { return std::string(one.at(key).as_string()); }
size_t count_in(const object& one, std::string_view key) { return one.at(key).to_number<size_t>(); }

double greatest_difference(std::span<const float> a, std::span<const float> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(double{a[i]} - b[i]));
  return most;
}

class MediaGolden : public testing::Test {
 protected:
  // Runs `check` on every case of a kind; fails where there is none.
  template <class Check>
  void each(std::string_view kind, Check check) {
    size_t count = 0;
    for (const auto& row : folder_.cases()) {
      const object& one = row.as_object();
      if (one.at("kind").as_string() != kind) continue;
      ++count;
      SCOPED_TRACE(text_of(one, "output"));
      check(one, text_of(one, "output"));
    }
    EXPECT_GT(count, 0U) << kind;
  }

  Image image_of(const std::string& file) {
    auto image = decode_image(as_bytes(folder_.text(file)));
    EXPECT_TRUE(image.ok()) << file << ": " << image.error().message;
    return image.ok() ? std::move(image).value() : Image();
  }

  void expect_mask(const object& one, const std::vector<int64_t>& mask) {
    if (!one.contains("mask")) return;
    EXPECT_EQ(mask, folder_.tensor<int64_t>(text_of(one, "mask")));
  }

  GoldenFolder folder_{"tests/golden/media"};
};

TEST_F(MediaGolden, ImagesHavePillowsPixels) {
  each("decode", [&](const object& one, const std::string& output) {
    const Image image = image_of(text_of(one, "file"));
    EXPECT_EQ((std::vector<size_t>{image.height, image.width, 3}), folder_.shape(output));
    EXPECT_EQ(image.pixels, folder_.tensor<uint8_t>(output));
  });
}

TEST_F(MediaGolden, ImagesAreResampledAsPillowDoes) {
  each("resample", [&](const object& one, const std::string& output) {
    std::optional<Box> box;
    if (!one.at("box").is_null()) {
      const auto edge = [&](size_t i) { return one.at("box").at(i).to_number<double>(); };
      box = Box{.left = edge(0), .top = edge(1), .right = edge(2), .bottom = edge(3)};
    }
    const ImageSize size{.height = one.at("size").at(0).to_number<size_t>(),
                         .width = one.at("size").at(1).to_number<size_t>()};
    const auto made =
        resample(image_of(text_of(one, "file")), size, static_cast<Filter>(count_in(one, "filter")), box);
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_EQ(made.value().pixels, folder_.tensor<uint8_t>(output));
  });
}

TEST_F(MediaGolden, ProcessorsOfEveryTypeGiveThePixelsOfTransformers) {
  each("pixels", [&](const object& one, const std::string& output) {
    const auto processor = ImageProcessor::parse(one.at("config").as_object());
    ASSERT_TRUE(processor.ok()) << processor.error().message;
    std::vector<Image> images;
    for (const auto& file : one.at("files").as_array())
      images.push_back(image_of(std::string(file.as_string())));
    const auto made = processor.value().run_batch(images);
    ASSERT_TRUE(made.ok()) << made.error().message;
    const PixelBatch& batch = made.value();
    ASSERT_EQ((std::vector<size_t>{batch.count, 3, batch.height, batch.width}), folder_.shape(output));
    EXPECT_EQ(batch.data, folder_.tensor<float>(output));
    EXPECT_EQ(processor.value().gives_mask(), one.contains("mask"));
    expect_mask(one, batch.mask);
  });
}

TEST_F(MediaGolden, SoundsOfEveryFormatHaveLibsndfilesSamples) {
  each("sound", [&](const object& one, const std::string& output) {
    const auto sound = decode_sound(as_bytes(folder_.text(text_of(one, "file"))));
    ASSERT_TRUE(sound.ok()) << sound.error().message;
    EXPECT_EQ(sound.value().rate, count_in(one, "rate"));
    EXPECT_LE(greatest_difference(sound.value().samples, folder_.tensor<float>(output)),
              1e-4);  // MP3 and Opus vary by build.
  });
}

TEST_F(MediaGolden, SoundsAreResampledAsScipyDoes) {
  each("rate", [&](const object& one, const std::string& output) {
    auto samples = folder_.tensor<float>(text_of(one, "tensor"));
    samples.resize(count_in(one, "count"));
    const auto made = resample(samples, static_cast<uint32_t>(count_in(one, "source")),
                               static_cast<uint32_t>(count_in(one, "target")));
    ASSERT_TRUE(made.ok()) << made.error().message;
    EXPECT_LE(greatest_difference(made.value(), folder_.tensor<float>(output)), 1e-6);
  });
}

TEST_F(MediaGolden, FeaturesAreThoseOfTransformers) {
  each("features", [&](const object& one, const std::string& output) {
    const auto processor = SoundProcessor::parse(one.at("config").as_object());
    ASSERT_TRUE(processor.ok()) << processor.error().message;
    const auto samples = folder_.tensor<float>(text_of(one, "tensor"));
    std::vector<std::span<const float>> sounds;
    for (const auto& count : one.at("counts").as_array())
      sounds.push_back(std::span(samples).first(count.to_number<size_t>()));
    const auto made = processor.value().run_batch(sounds);
    ASSERT_TRUE(made.ok()) << made.error().message;
    ASSERT_EQ(made.value().shape, folder_.shape(output));
    EXPECT_LE(greatest_difference(made.value().data, folder_.tensor<float>(output)), 1e-5);
    expect_mask(one, made.value().mask);
  });
}

}  // namespace
}  // namespace holdfast::media
