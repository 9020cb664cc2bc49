#include "model/vision/convolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tensor/activation.h"

namespace holdfast::model {
namespace {

// Places whose patches are gathered at a time, so that they are still near when they are multiplied.
constexpr size_t chunk_places = 128;

// Scales each output's weights by the norm's share and sets its bias.
Status fold_norm(const ConvolutionPlan& plan, const WeightReader& reader, std::vector<float>& weight,
                 std::vector<float>& bias) {
  const auto part = [&](std::string_view name) {
    return reader.floats(fmt::format("{}.{}", plan.norm, name), {plan.outputs});
  };
  TRY(const std::vector<float> gamma, part("weight"));
  TRY(const std::vector<float> beta, part("bias"));
  TRY(const std::vector<float> mean, part("running_mean"));
  TRY(const std::vector<float> variance, part("running_var"));
  bias.resize(plan.outputs, 0.0F);
  const size_t each = weight.size() / plan.outputs;
  for (size_t i = 0; i < plan.outputs; ++i) {
    if (!(variance[i] + plan.norm_epsilon > 0))
      return fail(Reason::bad_request, fmt::format("'{}.running_var' holds a number below zero", plan.norm));
    const float share = gamma[i] / std::sqrt(variance[i] + plan.norm_epsilon);
    for (size_t k = 0; k < each; ++k) weight[i * each + k] *= share;
    bias[i] = (bias[i] - mean[i]) * share + beta[i];
  }
  return Done{};
}

}  // namespace

FeatureMap FeatureMap::from_image(const float* image, Extent size, size_t channels) {
  FeatureMap out = make(size, channels);
  for (size_t place = 0; place < size.area(); ++place)
    for (size_t channel = 0; channel < channels; ++channel)
      out.data.data()[place * channels + channel] = image[channel * size.area() + place];
  return out;
}

void FeatureMap::to_image(float* out) const {
  for (size_t channel = 0; channel < channels; ++channel)
    for (size_t place = 0; place < size.area(); ++place)
      out[channel * size.area() + place] = data.data()[place * channels + channel];
}

Result<Convolution> Convolution::load(const ConvolutionPlan& plan, const WeightReader& reader) {
  if (plan.groups == 0 || plan.inputs % plan.groups != 0 || plan.outputs % plan.groups != 0)
    return fail(Reason::bad_request, fmt::format("'{}': {} to {} channels are no {} groups", plan.name,
                                                 plan.inputs, plan.outputs, plan.groups));
  TRY(std::vector<float> weight,
      reader.floats(plan.name + ".weight",
                    {plan.outputs, plan.inputs / plan.groups, plan.kernel.height, plan.kernel.width}));
  std::vector<float> bias;
  if (plan.bias == Bias::with || (plan.bias == Bias::if_there && reader.has(plan.name + ".bias"))) {
    TRY(bias, reader.floats(plan.name + ".bias", {plan.outputs}));
  }
  if (!plan.norm.empty()) TRY_DONE(fold_norm(plan, reader, weight, bias));
  return make(plan, weight, bias, reader.compute());
}

Convolution Convolution::make(const ConvolutionPlan& plan, std::span<const float> weight,
                              std::span<const float> bias, tensor::Compute compute) {
  Convolution out;
  out.plan_ = plan;
  out.kernels_ = &tensor::kernels_for(compute.isa);
  const size_t taps = plan.kernel.area(), each = plan.inputs / plan.groups,
               outputs = plan.outputs / plan.groups;
  if (each == 1 && outputs == 1) {
    out.taps_.resize(taps * plan.inputs);
    for (size_t channel = 0; channel < plan.inputs; ++channel)
      for (size_t tap = 0; tap < taps; ++tap)
        out.taps_[tap * plan.inputs + channel] = weight[channel * taps + tap];
    out.bias_.assign(bias.begin(), bias.end());
    out.bias_.resize(plan.outputs, 0.0F);
    return out;
  }
  // A patch has its channels together, as pictures have.
  std::vector<float> ordered(outputs * taps * each);
  for (size_t group = 0; group < plan.groups; ++group) {
    for (size_t output = 0; output < outputs; ++output)
      for (size_t input = 0; input < each; ++input)
        for (size_t tap = 0; tap < taps; ++tap)
          ordered[(output * taps + tap) * each + input] =
              weight[((group * outputs + output) * each + input) * taps + tap];
    const auto shift = bias.empty() ? bias : bias.subspan(group * outputs, outputs);
    out.products_.push_back(tensor::make_linear({ordered, shift, outputs, taps * each}, compute));
  }
  return out;
}

Extent Convolution::size_for(Extent in) const {
  const auto side = [&](size_t length, size_t kernel) -> size_t {
    const size_t reach = plan_.dilation * (kernel - 1) + 1, padded = length + 2 * plan_.padding;
    return padded < reach ? 0 : (padded - reach) / plan_.stride + 1;
  };
  return {side(in.height, plan_.kernel.height), side(in.width, plan_.kernel.width)};
}

// The patches of `count` places from `first` on, one a row; zeros past the picture. What lies together in the
// picture is copied together: a line of the kernel, where nothing is left out of it.
void Convolution::gather(const FeatureMap& in, Extent out, size_t group, size_t first, size_t count,
                         float* rows) const {
  const size_t each = plan_.inputs / plan_.groups;
  const bool together = plan_.groups == 1 && plan_.dilation == 1;
  for (size_t place = first; place < first + count; ++place)
    for (size_t line = 0; line < plan_.kernel.height; ++line) {
      // Below zero is far past the end, too.
      const size_t y = place / out.width * plan_.stride + line * plan_.dilation - plan_.padding;
      const size_t left = place % out.width * plan_.stride - plan_.padding,
                   right = left + (plan_.kernel.width - 1) * plan_.dilation;
      if (y >= in.size.height) {
        std::fill_n(rows, plan_.kernel.width * each, 0.0F);
        rows += plan_.kernel.width * each;
        continue;
      }
      const float* from = in.data.data() + y * in.size.width * in.channels + group * each;
      if (together && left < in.size.width && right < in.size.width) {
        std::copy_n(from + left * in.channels, plan_.kernel.width * each, rows);
        rows += plan_.kernel.width * each;
      } else {
        for (size_t tap = 0; tap < plan_.kernel.width; ++tap, rows += each) {
          const size_t x = left + tap * plan_.dilation;
          if (x < in.size.width)
            std::copy_n(from + x * in.channels, each, rows);
          else
            std::fill_n(rows, each, 0.0F);
        }
      }
    }
}

// One line of the result where every channel is a group.
void Convolution::run_apart(const FeatureMap& in, FeatureMap& out, size_t line) const {
  tensor::ChannelTapsJob job;
  job.in = in.data.data();
  job.height = in.size.height;
  job.width = in.size.width;
  job.channels = plan_.inputs;
  job.taps = taps_.data();
  job.bias = bias_.data();
  job.kernel_height = plan_.kernel.height;
  job.kernel_width = plan_.kernel.width;
  job.stride = plan_.stride;
  job.padding = plan_.padding;
  job.dilation = plan_.dilation;
  job.line = line;
  job.out_width = out.size.width;
  job.out = out.data.data() + line * out.size.width * plan_.inputs;
  kernels_->channel_taps(job);
}

FeatureMap Convolution::run(const FeatureMap& in, tensor::Activation activation, const float* addend,
                            tensor::Threads& threads) const {
  FeatureMap out = FeatureMap::make(size_for(in.size), plan_.outputs);
  const size_t places = out.size.area(), width = plan_.outputs;
  if (products_.empty()) {
    threads.run(out.size.height, [&](size_t line) {
      run_apart(in, out, line);
      float* rows = out.data.data() + line * out.size.width * width;
      tensor::activate(*kernels_, activation, rows, out.size.width * width);
      if (addend != nullptr)
        kernels_->add(rows, addend + line * out.size.width * width, out.size.width * width);
    });
    return out;
  }
  const size_t outputs = plan_.outputs / plan_.groups;
  tensor::LinearRun job;
  job.activation = activation;
  job.out_stride = width;
  if (plan_.kernel.area() == 1 && plan_.stride == 1 && plan_.padding == 0) {
    for (size_t group = 0; group < plan_.groups; ++group) {
      job.in = in.data.data() + group * (plan_.inputs / plan_.groups);
      job.in_stride = in.channels;
      job.rows = places;
      job.out = out.data.data() + group * outputs;
      job.addend = addend == nullptr ? nullptr : addend + group * outputs;
      products_[group]->run(job, threads);
    }
    return out;
  }
  const size_t chunks = (places + chunk_places - 1) / chunk_places;
  threads.run(chunks, [&](size_t chunk) {
    const size_t first = chunk * chunk_places, count = std::min(chunk_places, places - first);
    tensor::Floats rows(count * products_.front()->inputs());
    tensor::LinearRun part = job;
    part.in = rows.data();
    part.rows = count;
    for (size_t group = 0; group < plan_.groups; ++group) {
      gather(in, out.size, group, first, count, rows.data());
      part.out = out.data.data() + first * width + group * outputs;
      part.addend = addend == nullptr ? nullptr : addend + first * width + group * outputs;
      products_[group]->run(part, threads);
    }
  });
  return out;
}

FeatureMap max_pool(const FeatureMap& in, size_t kernel, size_t stride, size_t padding) {
  const auto side = [&](size_t length) -> size_t {
    return length + 2 * padding < kernel ? 0 : (length + 2 * padding - kernel) / stride + 1;
  };
  FeatureMap out = FeatureMap::make({side(in.size.height), side(in.size.width)}, in.channels);
  for (size_t place = 0; place < out.size.area(); ++place) {
    float* to = out.data.data() + place * in.channels;
    std::fill_n(to, in.channels, -std::numeric_limits<float>::infinity());
    for (size_t tap = 0; tap < kernel * kernel; ++tap) {
      const size_t y = place / out.size.width * stride + tap / kernel - padding;
      const size_t x = place % out.size.width * stride + tap % kernel - padding;
      if (y >= in.size.height || x >= in.size.width) continue;
      const float* from = in.data.data() + (y * in.size.width + x) * in.channels;
      for (size_t i = 0; i < in.channels; ++i) to[i] = std::max(to[i], from[i]);
    }
  }
  return out;
}

std::vector<float> mean_pool(const FeatureMap& in) {
  std::vector<float> out(in.channels, 0.0F);
  for (size_t place = 0; place < in.size.area(); ++place)
    for (size_t i = 0; i < in.channels; ++i) out[i] += in.data.data()[place * in.channels + i];
  for (float& sum : out) sum /= static_cast<float>(in.size.area());
  return out;
}

}  // namespace holdfast::model
