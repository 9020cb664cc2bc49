#include "model/sound/time_convolution.h"

#include <gtest/gtest.h>

#include <random>

#include "tensor/isa.h"

namespace holdfast::model {
namespace {

using Shape = TimeConvolution::Shape;

std::vector<float> draw(std::mt19937_64& random, size_t count) {
  std::normal_distribution<float> normal;
  std::vector<float> out(count);
  for (float& x : out) x = normal(random);
  return out;
}

// Term by term, as the definition has it.
std::vector<float> plain_twin(const Shape& shape, const std::vector<float>& weight,
                              const std::vector<float>& bias, const std::vector<float>& in, size_t length,
                              size_t frames) {
  const size_t each = shape.inputs / shape.groups, outputs = shape.outputs / shape.groups;
  std::vector<float> out(frames * shape.outputs);
  for (size_t frame = 0; frame < frames; ++frame)
    for (size_t row = 0; row < shape.outputs; ++row) {
      double sum = bias[row];
      for (size_t tap = 0; tap < shape.kernel; ++tap) {
        const size_t place = frame * shape.stride + tap * shape.dilation;
        if (place < shape.before || place - shape.before >= length) continue;
        for (size_t channel = 0; channel < each; ++channel)
          sum += static_cast<double>(weight[(row * each + channel) * shape.kernel + tap]) *
                 in[(place - shape.before) * shape.inputs + row / outputs * each + channel];
      }
      out[frame * shape.outputs + row] = static_cast<float>(sum);
    }
  return out;
}

Shape random_shape(std::mt19937_64& random) {
  const auto up_to = [&](size_t most) { return std::uniform_int_distribution<size_t>(1, most)(random); };
  Shape out;
  out.groups = up_to(3);
  out.inputs = out.groups * up_to(5);
  out.outputs = out.groups * up_to(20);
  out.kernel = up_to(7);
  out.stride = up_to(4);
  out.dilation = up_to(3);
  out.before = up_to(5) - 1;
  out.after = up_to(5) - 1;
  return out;
}

TEST(TimeConvolution, EqualsItsPlainTwinOnEveryInstructionSetAndAnyNumberOfThreads) {
  const auto one = tensor::make_threads(1), two = tensor::make_threads(2);
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const Shape shape = random_shape(random);
    const size_t length = std::uniform_int_distribution<size_t>(1, 60)(random);
    const auto weight = draw(random, shape.outputs * (shape.inputs / shape.groups) * shape.kernel);
    const auto bias = draw(random, shape.outputs), in = draw(random, length * shape.inputs);
    for (tensor::Isa isa : tensor::isas_of_this_machine()) {
      const auto made = TimeConvolution::of(shape, weight, bias, {.isa = isa});
      ASSERT_TRUE(made.ok()) << made.error().message;
      const size_t frames = made.value().frames(length);
      std::vector<float> out(frames * shape.outputs), again(out);
      made.value().run(in.data(), length, out.data(), *one);
      made.value().run(in.data(), length, again.data(), *two);
      EXPECT_EQ(out, again);
      const auto expected = plain_twin(shape, weight, bias, in, length, frames);
      for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], expected[i], 2e-5F) << i;
    }
  }
}

TEST(TimeConvolution, CountsFramesAsTheyFit) {
  const auto frames = [](size_t kernel, size_t stride, size_t padding, size_t dilation, size_t length) {
    const Shape shape{.inputs = 1,
                      .outputs = 1,
                      .kernel = kernel,
                      .stride = stride,
                      .before = padding,
                      .after = padding,
                      .dilation = dilation};
    return TimeConvolution::of(shape, std::vector<float>(kernel), {}, {}).value().frames(length);
  };
  EXPECT_EQ(frames(10, 5, 0, 1, 9), 0U);
  EXPECT_EQ(frames(10, 5, 0, 1, 10), 1U);
  EXPECT_EQ(frames(10, 5, 0, 1, 14), 1U);
  EXPECT_EQ(frames(10, 5, 0, 1, 15), 2U);
  EXPECT_EQ(frames(3, 2, 1, 1, 3'000), 1'500U);
  EXPECT_EQ(frames(3, 1, 0, 3, 6), 0U);
  EXPECT_EQ(frames(3, 1, 0, 3, 7), 1U);
  EXPECT_EQ(frames(3, 1, 1, 1, 0), 0U);
}

TEST(TimeConvolution, RefusesSizesThatDoNotGoTogether) {
  const Shape odd{.inputs = 4, .outputs = 4, .kernel = 1, .groups = 3};
  EXPECT_EQ(TimeConvolution::of(odd, std::vector<float>(4), {}, {}).error().reason, Reason::bad_request);
  const Shape more{.inputs = 4, .outputs = 4, .kernel = 2};
  EXPECT_EQ(TimeConvolution::of(more, std::vector<float>(4), {}, {}).error().reason, Reason::bad_request);
}

}  // namespace
}  // namespace holdfast::model
