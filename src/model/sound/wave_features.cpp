#include "model/sound/wave_features.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace holdfast::model {
namespace {

constexpr float norm_epsilon = 1e-5F;  // transformers does not ask config.json for this one.
// Frames that the first convolution makes at a time: with 512 channels they fill two megabytes.
constexpr size_t first_rows = 1'024;
constexpr size_t samples_most = size_t{1} << 40;  // No sound is so long.

float* ensure(tensor::Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = tensor::Floats(count);
  return buffer.data();
}

}  // namespace

Result<WaveFeatures> WaveFeatures::load(WaveFeaturesPlan plan, const WeightReader& reader) {
  WaveFeatures out;
  out.kernels_ = &tensor::kernels_for(reader.compute().isa);
  out.spaces_ = std::make_unique<ScratchPool<Space>>();
  const bool by_frame = plan.norm == WaveFeaturesPlan::Norm::layer;
  size_t inputs = 1;
  for (size_t i = 0; i < plan.layers.size(); ++i) {
    const WaveFeaturesPlan::Layer& layer = plan.layers[i];
    const std::string at = fmt::format("{}{}.", plan.prefix, i);
    TRY(TimeConvolution convolution,
        TimeConvolution::load(
            reader, at + "conv",
            {.inputs = inputs, .outputs = layer.width, .kernel = layer.kernel, .stride = layer.stride},
            plan.bias));
    std::optional<Norm> norm;
    if (by_frame || i == 0) {
      TRY(norm, reader.norm(at + "layer_norm", layer.width));
    }
    if (!by_frame && i == 0) out.over_time_ = std::move(norm);
    out.layers_.push_back({std::move(convolution), by_frame ? std::move(norm) : std::nullopt});
    inputs = layer.width;
  }
  out.plan_ = std::move(plan);
  return out;
}

size_t WaveFeatures::frames(size_t samples) const {
  for (const Layer& layer : layers_) samples = layer.convolution.frames(samples);
  return samples;
}

size_t WaveFeatures::samples_min() const {
  size_t count = 1;
  for (auto layer = plan_.layers.rbegin(); layer != plan_.layers.rend(); ++layer)
    count = std::min((count - 1) * layer->stride + layer->kernel, samples_most);
  return count;
}

// Norm by group: sums over pieces of time, added in their order whoever made them.
std::vector<WaveFeatures::Scale> WaveFeatures::scales_over_time(std::span<const float> samples,
                                                                tensor::Threads& threads) const {
  const TimeConvolution& first = layers_.front().convolution;
  const size_t width = first.shape().outputs, all = first.frames(samples.size());
  const size_t pieces = (all + first_rows - 1) / first_rows;
  std::vector<double> sums(pieces * width * 2, 0.0);
  threads.run(pieces, [&](size_t piece) {
    const auto space = spaces_->take();
    const size_t from = piece * first_rows, rows = std::min(first_rows, all - from);
    float* x = ensure(space->rows[0], first_rows * width);
    first.run(samples.data() + from * first.shape().stride,
              (rows - 1) * first.shape().stride + first.shape().kernel, x, threads);
    double* sum = sums.data() + piece * width * 2;
    for (size_t row = 0; row < rows; ++row)
      for (size_t i = 0; i < width; ++i) {
        const double value = x[row * width + i];
        sum[i] += value;
        sum[width + i] += value * value;
      }
  });
  std::vector<Scale> out(width);
  for (size_t i = 0; i < width; ++i) {
    double sum = 0, squares = 0;
    for (size_t piece = 0; piece < pieces; ++piece) {
      sum += sums[piece * width * 2 + i];
      squares += sums[piece * width * 2 + width + i];
    }
    const double mean = sum / static_cast<double>(all);
    const double variance = std::max(0.0, squares / static_cast<double>(all) - mean * mean);
    const double factor = over_time_->gamma[i] / std::sqrt(variance + norm_epsilon);
    out[i] = {static_cast<float>(factor), static_cast<float>(over_time_->beta[i] - mean * factor)};
  }
  return out;
}

// Frames [first, first + count): what they need of each convolution's rows, and no more.
void WaveFeatures::run_some(std::span<const float> samples, const std::vector<Scale>& scales, size_t first,
                            size_t count, float* out, tensor::Threads& threads) const {
  const size_t last_layer = layers_.size() - 1;
  std::vector<size_t> rows(layers_.size());  // That each convolution makes.
  size_t from = first, needed = count;
  for (size_t i = layers_.size(); i-- > 0;) {
    rows[i] = needed;
    needed = (needed - 1) * plan_.layers[i].stride + plan_.layers[i].kernel;
    from *= plan_.layers[i].stride;
  }
  const auto space = spaces_->take();
  const float* in = samples.data() + from;
  size_t length = needed;
  for (size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const size_t width = plan_.layers[i].width;
    const bool normed = layer.norm.has_value(), scaled = i == 0 && !scales.empty();
    float* x = i == last_layer ? out : ensure(space->rows[i % 2], rows[i] * width);
    layer.convolution.run(in, length, x, threads,
                          normed || scaled ? tensor::Activation::none : plan_.activation);
    if (normed)
      kernels_->layer_norm(
          {x, x, layer.norm->gamma.data(), layer.norm->beta.data(), rows[i], width, norm_epsilon});
    for (size_t row = 0; scaled && row < rows[i]; ++row)
      for (size_t k = 0; k < width; ++k)
        x[row * width + k] = x[row * width + k] * scales[k].factor + scales[k].shift;
    if (normed || scaled) tensor::activate(*kernels_, plan_.activation, x, rows[i] * width);
    in = x;
    length = rows[i];
  }
}

void WaveFeatures::run(std::span<const float> samples, size_t count, float* out,
                       tensor::Threads& threads) const {
  if (count == 0) return;
  std::vector<Scale> scales;
  if (over_time_) scales = scales_over_time(samples, threads);
  size_t stride = 1;  // Of a frame, in rows of the first convolution.
  for (size_t i = 1; i < plan_.layers.size(); ++i)
    stride = std::min(first_rows, stride * plan_.layers[i].stride);
  const size_t each = std::max<size_t>(1, first_rows / stride);
  threads.run((count + each - 1) / each, [&](size_t piece) {
    const size_t first = piece * each;
    run_some(samples, scales, first, std::min(each, count - first), out + first * width(), threads);
  });
}

}  // namespace holdfast::model
