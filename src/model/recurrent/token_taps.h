#pragma once

#include "model/recurrent/recurrent_layer.h"

namespace holdfast::model {

// A convolution over the tokens of a text, channel by channel, that sees none behind a token. The rows it
// still needs are the first [taps - 1, width] of a sequence's state. Immutable; safe from any thread.
class TokenTaps {
 public:
  // NAME.weight [width, 1, taps] and NAME.bias [width].
  static Result<TokenTaps> load(const WeightReader& reader, const std::string& name, size_t width,
                                size_t taps, Bias bias, tensor::Activation activation);

  size_t state_floats() const { return (taps_ - 1) * width_; }
  // out [tokens, width] from in, rows `stride` apart. They do not overlap.
  void run(const RecurrentLayer::Run& run, const float* in, size_t stride, float* out) const;

 private:
  size_t width_ = 0, taps_ = 0;
  std::vector<float> weight_, bias_;  // [taps, width], [width] or empty.
  tensor::Activation activation_ = tensor::Activation::none;
  const tensor::Kernels* kernels_ = nullptr;
};

}  // namespace holdfast::model
