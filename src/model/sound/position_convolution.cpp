#include "model/sound/position_convolution.h"

#include <fmt/format.h>

#include <cmath>

namespace holdfast::model {
namespace {

constexpr float norm_epsilon = 1e-5F;  // torch's own, which config.json does not change.

// A weight as direction and length, a length a tap, under the names of either of torch's ways to keep it.
Result<std::vector<float>> weight_of_parts(const WeightReader& reader, const std::string& name,
                                           const TimeConvolution::Shape& shape) {
  const uint64_t each = shape.inputs / shape.groups, taps = shape.kernel;
  if (reader.has(name + ".weight")) return reader.floats(name + ".weight", {shape.outputs, each, taps});
  const bool early = reader.has(name + ".weight_v");
  const std::string length = name + (early ? ".weight_g" : ".parametrizations.weight.original0");
  const std::string direction = name + (early ? ".weight_v" : ".parametrizations.weight.original1");
  TRY(const std::vector<float> lengths, reader.floats(length, {1, 1, taps}));
  TRY(std::vector<float> weight, reader.floats(direction, {shape.outputs, each, taps}));
  for (size_t tap = 0; tap < taps; ++tap) {
    double squares = 0;
    for (size_t i = tap; i < weight.size(); i += taps) squares += static_cast<double>(weight[i]) * weight[i];
    const double factor = squares > 0 ? lengths[tap] / std::sqrt(squares) : 0;
    for (size_t i = tap; i < weight.size(); i += taps) weight[i] = static_cast<float>(weight[i] * factor);
  }
  return weight;
}

}  // namespace

Result<PositionConvolution> PositionConvolution::load(const PositionConvolutionPlan& plan, size_t width,
                                                      const WeightReader& reader) {
  PositionConvolution out;
  out.activation_ = plan.activation;
  out.kernels_ = &tensor::kernels_for(reader.compute().isa);
  out.norms_ = plan.layers > 0;
  // As many rows come out as go in: of an even kernel the last one is left out.
  const TimeConvolution::Shape shape{.inputs = width,
                                     .outputs = width,
                                     .kernel = plan.kernel,
                                     .before = plan.kernel / 2,
                                     .after = (plan.kernel - 1) / 2,
                                     .groups = plan.groups};
  if (plan.groups == 0 || width % plan.groups != 0)
    return fail(Reason::bad_request, "config.json: num_conv_pos_embedding_groups does not divide the width");
  if (plan.layers > 0) {
    for (size_t i = 0; i < plan.layers; ++i) {
      TRY(TimeConvolution layer,
          TimeConvolution::load(reader, fmt::format("{}layers.{}.conv", plan.name, i), shape));
      out.layers_.push_back(std::move(layer));
    }
    out.ones_.assign(width, 1.0F);
    out.zeros_.assign(width, 0.0F);
    return out;
  }
  if (plan.batch_norm) {
    const std::string name = plan.name + "batch_norm";
    TRY(const Norm norm, reader.norm(name, width));
    TRY(const std::vector<float> mean, reader.floats(name + ".running_mean", {width}));
    TRY(const std::vector<float> variance, reader.floats(name + ".running_var", {width}));
    Scales scales;
    for (size_t i = 0; i < width; ++i) {
      const double factor = norm.gamma[i] / std::sqrt(static_cast<double>(variance[i]) + norm_epsilon);
      scales.factors.push_back(static_cast<float>(factor));
      scales.shifts.push_back(static_cast<float>(norm.beta[i] - mean[i] * factor));
    }
    out.before_ = std::move(scales);
  }
  TRY(const std::vector<float> weight, weight_of_parts(reader, plan.name + "conv", shape));
  TRY(const std::vector<float> bias, reader.floats(plan.name + "conv.bias", {width}));
  TRY(TimeConvolution one, TimeConvolution::of(shape, weight, bias, reader.compute()));
  out.layers_.push_back(std::move(one));
  return out;
}

void PositionConvolution::add_to(float* rows, size_t length, tensor::Threads& threads) const {
  const size_t width = layers_.front().shape().inputs, all = length * width;
  tensor::Floats in(all), out(all);
  std::copy_n(rows, all, in.data());
  for (size_t row = 0; before_ && row < length; ++row)
    for (size_t i = 0; i < width; ++i)
      in.data()[row * width + i] = in.data()[row * width + i] * before_->factors[i] + before_->shifts[i];
  for (const TimeConvolution& layer : layers_) {
    layer.run(in.data(), length, out.data(), threads, norms_ ? tensor::Activation::none : activation_);
    if (norms_) {
      kernels_->layer_norm(
          {out.data(), out.data(), ones_.data(), zeros_.data(), length, width, norm_epsilon});
      tensor::activate(*kernels_, activation_, out.data(), all);
    }
    std::swap(in, out);
  }
  kernels_->add(rows, in.data(), all);
}

}  // namespace holdfast::model
