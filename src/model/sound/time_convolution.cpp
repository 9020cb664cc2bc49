#include "model/sound/time_convolution.h"

#include <algorithm>
#include <span>

namespace holdfast::model {

Result<TimeConvolution> TimeConvolution::load(const WeightReader& reader, const std::string& name,
                                              const Shape& shape, Bias bias) {
  if (shape.groups == 0 || shape.inputs % shape.groups != 0)
    return fail(Reason::bad_request,
                "config.json: the channels of '" + name + "' cannot be split into its groups");
  TRY(const std::vector<float> weight,
      reader.floats(name + ".weight", {shape.outputs, shape.inputs / shape.groups, shape.kernel}));
  std::vector<float> shift;
  if (bias == Bias::with || (bias == Bias::if_there && reader.has(name + ".bias"))) {
    TRY(shift, reader.floats(name + ".bias", {shape.outputs}));
  }
  return of(shape, weight, shift, reader.compute());
}

Result<TimeConvolution> TimeConvolution::of(const Shape& shape, const std::vector<float>& weight,
                                            const std::vector<float>& bias, tensor::Compute compute) {
  const bool can_be = shape.groups > 0 && shape.inputs % shape.groups == 0 &&
                      shape.outputs % shape.groups == 0 && shape.kernel > 0 && shape.stride > 0 &&
                      shape.dilation > 0;
  if (!can_be || weight.size() != shape.outputs * (shape.inputs / shape.groups) * shape.kernel)
    return fail(Reason::bad_request, "config.json: a convolution's sizes do not go together");
  TimeConvolution out;
  out.shape_ = shape;
  const size_t inputs = shape.inputs / shape.groups, outputs = shape.outputs / shape.groups;
  const size_t each = inputs * shape.kernel;
  std::vector<float> turned(outputs * each);
  for (size_t group = 0; group < shape.groups; ++group) {
    for (size_t row = 0; row < outputs; ++row)
      for (size_t channel = 0; channel < inputs; ++channel)
        for (size_t tap = 0; tap < shape.kernel; ++tap)
          turned[row * each + tap * inputs + channel] =
              weight[((group * outputs + row) * inputs + channel) * shape.kernel + tap];
    const auto shift = bias.empty() ? std::span<const float>()
                                    : std::span<const float>(bias).subspan(group * outputs, outputs);
    out.groups_.push_back(tensor::make_linear({turned, shift, outputs, each}, compute));
  }
  return out;
}

size_t TimeConvolution::frames(size_t length) const {
  const size_t reach = (shape_.kernel - 1) * shape_.dilation + 1;
  const size_t all = length + shape_.before + shape_.after;
  return length == 0 || all < reach ? 0 : (all - reach) / shape_.stride + 1;
}

void TimeConvolution::run(const float* in, size_t length, float* out, tensor::Threads& threads,
                          tensor::Activation activation) const {
  if (frames(length) == 0) return;
  if (shape_.groups == 1) return run_group(0, in, length, out, threads, activation);
  threads.run(shape_.groups, [&](size_t group) { run_group(group, in, length, out, threads, activation); });
}

void TimeConvolution::run_group(size_t group, const float* in, size_t length, float* out,
                                tensor::Threads& threads, tensor::Activation activation) const {
  const size_t inputs = shape_.inputs / shape_.groups, outputs = shape_.outputs / shape_.groups;
  const size_t count = frames(length), each = inputs * shape_.kernel;
  tensor::LinearRun run;
  run.rows = count;
  run.out = out + group * outputs;
  run.out_stride = shape_.outputs;
  run.activation = activation;
  // Rows that lie beside each other already are read where they are.
  tensor::Floats padded, covered;
  const float* from = in;
  if (shape_.before + shape_.after > 0 || shape_.groups > 1) {
    padded = tensor::Floats((length + shape_.before + shape_.after) * inputs);
    std::fill_n(padded.data(), shape_.before * inputs, 0.0F);
    std::fill_n(padded.data() + (shape_.before + length) * inputs, shape_.after * inputs, 0.0F);
    for (size_t row = 0; row < length; ++row)
      std::copy_n(in + row * shape_.inputs + group * inputs, inputs,
                  padded.data() + (shape_.before + row) * inputs);
    from = padded.data();
  }
  run.in = from;
  run.in_stride = shape_.stride * inputs;
  if (shape_.dilation > 1) {
    covered = tensor::Floats(count * each);
    for (size_t frame = 0; frame < count; ++frame)
      for (size_t tap = 0; tap < shape_.kernel; ++tap)
        std::copy_n(from + (frame * shape_.stride + tap * shape_.dilation) * inputs, inputs,
                    covered.data() + frame * each + tap * inputs);
    run.in = covered.data();
    run.in_stride = each;
  }
  groups_[group]->run(run, threads);
}

}  // namespace holdfast::model
