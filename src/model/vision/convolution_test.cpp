#include "model/vision/convolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace holdfast::model {
namespace {

std::vector<float> random_numbers(std::mt19937& random, size_t count) {
  std::normal_distribution<float> numbers;
  std::vector<float> out(count);
  for (float& one : out) one = numbers(random);
  return out;
}

// The definition, as torch.nn.Conv2d has it: [outputs, out height, out width].
std::vector<double> plain(const ConvolutionPlan& plan, const std::vector<float>& image, Extent in,
                          Extent size, const std::vector<float>& weight, const std::vector<float>& bias) {
  const size_t each = plan.inputs / plan.groups, outputs = plan.outputs / plan.groups;
  std::vector<double> out;
  for (size_t output = 0; output < plan.outputs; ++output)
    for (size_t y = 0; y < size.height; ++y)
      for (size_t x = 0; x < size.width; ++x) {
        double sum = bias[output];
        for (size_t channel = 0; channel < each; ++channel)
          for (size_t i = 0; i < plan.kernel.height; ++i)
            for (size_t j = 0; j < plan.kernel.width; ++j) {
              const auto line = static_cast<int64_t>(y * plan.stride + i * plan.dilation) -
                                static_cast<int64_t>(plan.padding);
              const auto column = static_cast<int64_t>(x * plan.stride + j * plan.dilation) -
                                  static_cast<int64_t>(plan.padding);
              if (line < 0 || column < 0 || line >= static_cast<int64_t>(in.height) ||
                  column >= static_cast<int64_t>(in.width))
                continue;
              const size_t from = (output / outputs * each + channel) * in.area() +
                                  static_cast<size_t>(line) * in.width + static_cast<size_t>(column);
              sum += static_cast<double>(image[from]) *
                     weight[((output * each + channel) * plan.kernel.height + i) * plan.kernel.width + j];
            }
        out.push_back(sum);
      }
  return out;
}

TEST(Convolution, IsItsPlainTwinForAnyShapeStridePaddingDilationAndGroups) {
  std::mt19937 random(11);
  const auto one = tensor::make_threads(1), two = tensor::make_threads(2);
  const auto pick = [&](size_t least, size_t most) { return least + random() % (most - least + 1); };
  size_t apart = 0, grouped = 0;
  for (int round = 0; round < 150; ++round) {
    ConvolutionPlan plan;
    plan.groups = pick(1, 4);
    const bool depthwise = pick(0, 2) == 0;
    plan.inputs = plan.groups * (depthwise ? 1 : pick(1, 5));
    plan.outputs = plan.groups * (depthwise ? 1 : pick(1, 6));
    plan.kernel = {pick(1, 4), pick(1, 4)};
    plan.stride = pick(1, 3);
    plan.padding = pick(0, 3);
    plan.dilation = pick(1, 2);
    const Extent in = {pick(1, 21), pick(1, 21)};
    const auto weight = random_numbers(random, plan.outputs * plan.inputs / plan.groups * plan.kernel.area());
    const auto bias = random_numbers(random, plan.outputs);
    const auto image = random_numbers(random, plan.inputs * in.area());
    const Convolution layer = Convolution::make(plan, weight, bias, {});
    const Extent size = layer.size_for(in);
    const FeatureMap pixels = FeatureMap::from_image(image.data(), in, plan.inputs);
    const auto addend = random_numbers(random, size.area() * plan.outputs);
    const FeatureMap got = layer.run(pixels, tensor::Activation::none, addend.data(), *one);
    ASSERT_EQ(got.size, size);
    apart += plan.inputs == plan.groups && plan.outputs == plan.groups && plan.groups > 1 ? 1U : 0U;
    grouped += plan.groups > 1 && plan.inputs > plan.groups ? 1U : 0U;
    std::vector<double> wanted = plain(plan, image, in, size, weight, bias);
    for (size_t place = 0; place < size.area(); ++place)
      for (size_t output = 0; output < plan.outputs; ++output)
        ASSERT_NEAR(got.data.data()[place * plan.outputs + output],
                    wanted[output * size.area() + place] + addend[place * plan.outputs + output], 1e-4)
            << round;
    const FeatureMap again = layer.run(pixels, tensor::Activation::none, addend.data(), *two);
    EXPECT_TRUE(std::equal(got.data.data(), got.data.data() + got.data.size(), again.data.data()));
  }
  EXPECT_GT(apart, 10U);
  EXPECT_GT(grouped, 10U);
}

TEST(Convolution, ANormAfterItIsAsGoodAsDoneToItsWeights) {
  const std::vector<float> weight = {2}, gamma = {3}, beta = {0.5F}, mean = {1}, variance = {4};
  const auto view = [](const std::vector<float>& numbers, std::vector<uint64_t> shape) {
    return tensor::TensorView{tensor::Dtype::f32, std::move(shape), std::as_bytes(std::span(numbers))};
  };
  const auto weights = tensor::Weights::borrowed({{"c.weight", view(weight, {1, 1, 1, 1})},
                                                  {"n.weight", view(gamma, {1})},
                                                  {"n.bias", view(beta, {1})},
                                                  {"n.running_mean", view(mean, {1})},
                                                  {"n.running_var", view(variance, {1})}});
  ConvolutionPlan plan;
  plan.name = "c";
  plan.norm = "n";
  plan.bias = Bias::without;
  plan.inputs = plan.outputs = 1;
  plan.norm_epsilon = 0;
  const auto layer = Convolution::load(plan, WeightReader(weights, std::vector<std::string>{}, {}));
  ASSERT_TRUE(layer.ok()) << layer.error().message;
  const float pixel = 5;
  const auto threads = tensor::make_threads(1);
  const FeatureMap got = layer.value().run(FeatureMap::from_image(&pixel, {1, 1}, 1),
                                           tensor::Activation::none, nullptr, *threads);
  EXPECT_FLOAT_EQ(got.data.data()[0], (2 * 5 - 1) / 2.0F * 3 + 0.5F);
}

TEST(MaxPool, TakesTheGreatestOfWhatLiesWithinThePicture) {
  const std::vector<float> image = {-1, -2, -3, -4, -5, -6};
  const FeatureMap got = max_pool(FeatureMap::from_image(image.data(), {2, 3}, 1), 3, 2, 1);
  EXPECT_EQ(got.size, (Extent{1, 2}));
  EXPECT_EQ(got.data.data()[0], -1);
  EXPECT_EQ(got.data.data()[1], -2);
}

}  // namespace
}  // namespace holdfast::model
