#include "model/recurrent/token_taps.h"

#include <algorithm>

#include "model/recurrent/strips.h"

namespace holdfast::model {
namespace {

constexpr size_t block_width = 64;  // Channels that a thread takes at once.
constexpr size_t taps_most = 64;

template <class Count>
void sum_taps(std::span<const float* const> rows, size_t at, const float* weight, size_t stride,
              const float* bias, float* out, Count count) {
  float sums[strip_width] = {};
  for (size_t i = 0; bias != nullptr && i < count; ++i) sums[i] = bias[i];
  for (size_t tap = 0; tap < rows.size(); ++tap) {
    const float *from = rows[tap] + at, *factors = weight + tap * stride;
    for (size_t i = 0; i < count; ++i) sums[i] += factors[i] * from[i];
  }
  for (size_t i = 0; i < count; ++i) out[i] = sums[i];
}

}  // namespace

Result<TokenTaps> TokenTaps::load(const WeightReader& reader, const std::string& name, size_t width,
                                  size_t taps, Bias bias, tensor::Activation activation) {
  if (taps == 0 || taps > taps_most)
    return fail(Reason::bad_request, "config.json: the convolution's width cannot be");
  TokenTaps out;
  out.width_ = width;
  out.taps_ = taps;
  out.activation_ = activation;
  out.kernels_ = &tensor::kernels_for(reader.compute().isa);
  TRY(const std::vector<float> stored, reader.floats(name + ".weight", {width, 1, taps}));
  out.weight_.resize(stored.size());
  for (size_t channel = 0; channel < width; ++channel)
    for (size_t tap = 0; tap < taps; ++tap) out.weight_[tap * width + channel] = stored[channel * taps + tap];
  if (bias == Bias::with) {
    TRY(out.bias_, reader.floats(name + ".bias", {width}));
  }
  return out;
}

void TokenTaps::run(const RecurrentLayer::Run& run, const float* in, size_t stride, float* out) const {
  const size_t blocks = (width_ + block_width - 1) / block_width, past = taps_ - 1;
  run.threads.run(run.batch.sequences() * blocks, [&](size_t job) {
    const size_t sequence = job / blocks, first = job % blocks * block_width;
    const size_t count = std::min(block_width, width_ - first);
    const size_t start = run.batch.starts[sequence], length = run.batch.length(sequence);
    if (length == 0) return;  // It may have no state yet.
    float* state = run.states[sequence] + first;
    // Row `at` of those still needed and the new ones after them.
    const auto row = [&](size_t at) {
      return at < past ? state + at * width_ : in + (start + at - past) * stride + first;
    };
    for (size_t token = 0; token < length; ++token) {
      float* to = out + (start + token) * width_ + first;
      const float* rows[taps_most];
      for (size_t tap = 0; tap < taps_; ++tap) rows[tap] = row(token + tap);
      by_strips(count, [&](size_t at, auto some) {
        sum_taps({rows, taps_}, at, weight_.data() + first + at, width_,
                 bias_.empty() ? nullptr : &bias_[first + at], to + at, some);
      });
      if (activation_ != tensor::Activation::none) kernels_->activate(activation_, to, count);
    }
    for (size_t i = 0; i < past; ++i) std::copy_n(row(length + i), count, state + i * width_);
  });
}

}  // namespace holdfast::model
