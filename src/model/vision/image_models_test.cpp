// Models of images: the goldens in every precision, and design decision 8: an image's bits are the same alone
// and among others, on one thread and on two.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>
#include <filesystem>
#include <optional>
#include <random>

#include "codec/json.h"
#include "io/reference_data.h"
#include "model/any_model.h"

namespace holdfast::model {
namespace {

constexpr std::string_view families[] = {"beit",
                                         "clip",
                                         "convnext",
                                         "convnextv2",
                                         "data2vec-vision",
                                         "deit",
                                         "detr",
                                         "dinov2",
                                         "dinov2_with_registers",
                                         "dinov3_vit",
                                         "mobilenet_v2",
                                         "regnet",
                                         "resnet",
                                         "siglip",
                                         "swin",
                                         "vit",
                                         "vit_msn",
                                         "yolos"};

// Folders ROOT/FAMILY/VARIANT.
std::vector<io::Path> folders_under(const std::filesystem::path& root) {
  std::vector<io::Path> out;
  for (std::string_view family : families) {
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(root / family, missing))
      if (std::filesystem::exists(entry.path() / "golden.json"))
        out.push_back(io::Path(family) / entry.path().filename());
  }
  std::sort(out.begin(), out.end());
  return out;
}

// How far an answer may be: the greatest difference as a share of the greatest number, or the cosine.
void expect_near(const std::vector<float>& wanted, const std::vector<float>& got,
                 tensor::Precision precision) {
  ASSERT_EQ(wanted.size(), got.size());
  double worst = 0, greatest = 1e-30, dot = 0, one = 0, other = 0;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double a = wanted[i], b = got[i];
    worst = std::max(worst, std::abs(a - b));
    greatest = std::max(greatest, std::abs(a));
    dot += a * b;
    one += a * a;
    other += b * b;
  }
  if (precision == tensor::Precision::f32) {
    EXPECT_LE(worst, 2e-5 * greatest);  // A fifth of what is asked.
    return;
  }
  EXPECT_GE(dot / std::sqrt(one * other), precision == tensor::Precision::bf16 ? 0.999 : 0.99);
}

void expect_folder(io::Disk& disk, const io::Path& folder, tensor::Compute compute) {
  SCOPED_TRACE(folder.string() + " " + std::string(tensor::isa_name(compute.isa)) + " " +
               std::string(tensor::precision_name(compute.precision)));
  const auto threads = tensor::make_threads(2);
  const auto model = AnyModel::open(disk, folder, compute);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto numbers = tensor::Weights::open_file(disk, folder / "golden.safetensors").value();
  const std::string text = io::read_text(disk, folder / "golden.json", 1 << 20).value();
  const boost::json::object golden = codec::parse_json_object(text).value();
  for (const boost::json::value& one : golden.at("cases").as_array()) {
    const boost::json::object& wanted = one.as_object();
    SCOPED_TRACE(std::string(wanted.at("name").as_string()));
    const auto inputs =
        tensor::Weights::renamed(numbers, std::string(wanted.at("name").as_string()) + ".in.");
    const auto got = model.value().forward(inputs, *threads);
    ASSERT_TRUE(got.ok()) << got.error().message;
    for (const auto& [name, where] : wanted.at("outputs").as_object()) {
      SCOPED_TRACE(std::string(name));
      const auto found = std::find_if(got.value().begin(), got.value().end(),
                                      [&](const NamedTensor& tensor) { return tensor.name == name; });
      ASSERT_NE(found, got.value().end());
      const tensor::TensorView* view = numbers.find(where.as_string());
      ASSERT_NE(view, nullptr);
      EXPECT_EQ(found->shape, view->shape);
      expect_near(tensor::to_floats(*view).value(), found->data, compute.precision);
    }
  }
}

constexpr tensor::Precision precisions[] = {tensor::Precision::f32, tensor::Precision::bf16,
                                            tensor::Precision::int8};

TEST(ImageModels, EveryCommittedGoldenIsReachedOnEveryInstructionSet) {
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto folders = folders_under("tests/golden/models");
  EXPECT_GE(folders.size(), 5U);
  for (const io::Path& folder : folders)
    for (tensor::Isa isa : tensor::isas_of_this_machine())
      for (tensor::Precision precision : precisions) expect_folder(*disk, folder, {isa, precision});
}

TEST(ImageModels, EveryGoldenOfTheReferenceDataIsReached) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  const auto disk = io::open_posix_disk(*root).value();
  const auto folders = folders_under(*root);
  EXPECT_GE(folders.size(), 7U);
  for (const io::Path& folder : folders)
    for (tensor::Precision precision : precisions)
      expect_folder(*disk, folder, {tensor::best_isa(), precision});
}

// Images of one size, [count, channels, height, width], and a view of some of them.
struct Pictures {
  std::vector<uint64_t> shape;
  std::vector<float> pixels;
  std::optional<tensor::TensorView> interpolates = {};

  // With them, whether positions are brought to their size.
  tensor::Weights some(size_t first, size_t count) const {
    std::vector<uint64_t> part = shape;
    part[0] = count;
    const size_t each = pixels.size() / shape[0];
    const auto bytes = std::as_bytes(std::span(pixels).subspan(first * each, count * each));
    std::vector<std::pair<std::string, tensor::TensorView>> all = {
        {"pixel_values", {tensor::Dtype::f32, part, bytes}}};
    if (interpolates) all.push_back({"interpolate_pos_encoding", *interpolates});
    return tensor::Weights::borrowed(std::move(all));
  }
};

Pictures random_pictures(std::mt19937& random, const std::vector<uint64_t>& shape) {
  Pictures out{shape, {}};
  out.pixels.resize(shape[0] * shape[1] * shape[2] * shape[3]);
  std::normal_distribution<float> numbers;
  for (float& pixel : out.pixels) pixel = numbers(random);
  return out;
}

// Each image's share of each output that has one row an image.
void expect_same_bits(const SignalModel& model, const Pictures& pictures) {
  const auto one = tensor::make_threads(1), two = tensor::make_threads(2);
  const size_t count = pictures.shape[0];
  const auto together = model.forward(pictures.some(0, count), *two);
  ASSERT_TRUE(together.ok()) << together.error().message;
  const auto lonely = model.forward(pictures.some(0, count), *one).value();
  for (size_t i = 0; i < lonely.size(); ++i) EXPECT_EQ(lonely[i].data, together.value()[i].data);
  for (size_t image = 0; image < count; ++image)
    for (tensor::Threads* threads : {one.get(), two.get()}) {
      const auto alone = model.forward(pictures.some(image, 1), *threads).value();
      for (size_t i = 0; i < alone.size(); ++i) {
        const auto& all = together.value()[i].data;
        const size_t each = all.size() / count;
        const std::vector<float> share(all.begin() + static_cast<ptrdiff_t>(image * each),
                                       all.begin() + static_cast<ptrdiff_t>((image + 1) * each));
        EXPECT_EQ(alone[i].data, share) << alone[i].name << " of image " << image;
      }
    }
}

// Five images of the size that the folder's golden has.
void expect_same_bits_of(io::Disk& disk, const io::Path& folder, std::mt19937& random) {
  const auto numbers = tensor::Weights::open_file(disk, folder / "golden.safetensors").value();
  const auto names = numbers.names();
  const auto ending = [&](std::string_view end) {
    const auto name =
        std::find_if(names.begin(), names.end(), [&](const std::string& one) { return one.ends_with(end); });
    return name == names.end() ? nullptr : numbers.find(*name);
  };
  const tensor::TensorView* pixels = ending(".in.pixel_values");
  ASSERT_NE(pixels, nullptr);
  std::vector<uint64_t> shape = pixels->shape;
  shape[0] = 5;
  Pictures pictures = random_pictures(random, shape);
  if (const auto* flag = ending(".in.interpolate_pos_encoding"); flag != nullptr)
    pictures.interpolates = *flag;
  for (tensor::Precision precision : precisions) {
    SCOPED_TRACE(folder.string() + " " + std::string(tensor::precision_name(precision)));
    const auto model = AnyModel::open(disk, folder, {tensor::best_isa(), precision});
    ASSERT_TRUE(model.ok()) << model.error().message;
    ASSERT_NE(model.value().signal(), nullptr);
    expect_same_bits(*model.value().signal(), pictures);
  }
}

TEST(ImageModels, AnImageHasTheSameBitsAloneAndAmongOthersOnOneThreadAndOnTwo) {
  std::mt19937 random(7);
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  for (const io::Path& folder : folders_under("tests/golden/models"))
    expect_same_bits_of(*disk, folder, random);
}

TEST(ImageModels, AnImageOfTheReferenceModelsHasTheSameBitsToo) {
  const auto root = io::reference_data("models");
  if (!root) GTEST_SKIP() << io::reference_data_missing;
  std::mt19937 random(8);
  const auto disk = io::open_posix_disk(*root).value();
  for (const io::Path& folder : folders_under(*root)) expect_same_bits_of(*disk, folder, random);
}

// Pixels that the model of `folder` cannot read, and what it says of them.
void expect_refused(const std::string& folder, std::vector<uint64_t> shape, float pixel,
                    std::string_view why) {
  SCOPED_TRACE(why);
  const auto disk = io::open_posix_disk("tests/golden/models").value();
  const auto model = AnyModel::open(*disk, io::Path(folder), {});
  ASSERT_TRUE(model.ok()) << model.error().message;
  size_t count = 1;
  for (uint64_t side : shape) count *= side;
  const std::vector<float> pixels(count, pixel);
  const auto inputs = tensor::Weights::borrowed(
      {{"pixel_values", {tensor::Dtype::f32, std::move(shape), std::as_bytes(std::span(pixels))}}});
  const auto threads = tensor::make_threads(1);
  const auto got = model.value().forward(inputs, *threads);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().reason, Reason::bad_request);
  EXPECT_NE(got.error().message.find(why), std::string::npos) << got.error().message;
}

TEST(ImageModels, WhatDoesNotFitIsRefusedAndSaidWhy) {
  expect_refused("deit/teacher", {1, 1, 12, 12}, 0, "pixel_values has 1 channels, the model reads 3");
  expect_refused("deit/teacher", {1, 3, 16, 12}, 0, "images of 16x12 do not fit a model for 12x12");
  expect_refused("deit/teacher", {3, 12, 12}, 0, "not [images, channels, height, width]");
  expect_refused("deit/teacher", {0, 3, 12, 12}, 0, "holds no image");
  expect_refused("deit/teacher", {1, 3, 12, 12}, std::nanf(""), "a number that is not finite");
  expect_refused("dinov2_with_registers/smaller", {1, 3, 3, 12}, 0, "has no patch of 4x4");
  expect_refused("convnextv2/classes", {1, 3, 3, 3}, 0, "images of 3x3 are too small");
  expect_refused("swin/padded", {1, 3, 4, 12}, 0, "is smaller than a window");
  expect_refused("beit/distances", {1, 3, 16, 16}, 0, "another size than the model's bias by distance");
  expect_refused("yolos/between", {1, 3, 3, 12}, 0, "has no patch");
}

TEST(ImageModels, WhatCannotBeHonouredIsRefusedByItsName) {
  const auto from = io::open_posix_disk("tests/golden/models").value();
  const auto refused = [&](const std::string& folder, const char* key, boost::json::value value,
                           std::string_view why) {
    auto to = io::make_memory_disk();
    const std::string text = io::read_text(*from, io::Path(folder) / "config.json", 1 << 20).value();
    boost::json::object config = codec::parse_json_object(text).value();
    config[key] = std::move(value);
    ASSERT_TRUE(io::publish_text(*to, "config.json", codec::to_text(config)).ok());
    const std::string weights = io::read_text(*from, io::Path(folder) / "model.safetensors", 1 << 24).value();
    ASSERT_TRUE(io::publish_text(*to, "model.safetensors", weights).ok());
    const auto model = AnyModel::open(*to, "", {});
    ASSERT_FALSE(model.ok()) << key;
    EXPECT_NE(model.error().message.find(why), std::string::npos) << model.error().message;
  };
  refused("deit/teacher", "architectures", boost::json::array{"DeiTForMaskedImageModeling"},
          "DeiTForMaskedImageModeling");
  refused("deit/teacher", "hidden_act", "cosine", "'cosine' is not known");
  refused("beit/distances", "architectures", boost::json::array{"BeitForSemanticSegmentation"},
          "BeitForSemanticSegmentation");
  refused("beit/distances", "image_size", boost::json::array{12, 16}, "no squares");
  refused("beit/distances", "image_size", 16'384, "more than 4096 patches");
  refused("dinov3_vit/places", "architectures", boost::json::array{"DINOv3ViTBackbone"}, "DINOv3ViTBackbone");
  refused("regnet/squeezed", "layer_type", "z", "layer_type");
  refused("yolos/between", "num_detection_tokens", 0, "num_detection_tokens");
  refused("deit/teacher", "num_channels", 4, "embeddings.patch_embeddings.projection.weight");
  refused("deit/teacher", "num_hidden_layers", 2, "the weights lack 'encoder.layer.1.");
  refused("deit/teacher", "patch_size", 13, "has no patch of 13x13");
  refused("swin/padded", "num_heads", boost::json::array{2, 3}, "the width of stage 2");
  refused("convnextv2/classes", "depths", boost::json::array{1},
          "hidden_sizes, depths and num_stages differ");
  refused("siglip/pair", "architectures", boost::json::array{"SiglipForCausalLM"}, "SiglipForCausalLM");
}

}  // namespace
}  // namespace holdfast::model
