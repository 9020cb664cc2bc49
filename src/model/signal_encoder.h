#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "tensor/buffer.h"
#include "tensor/threads.h"
#include "tensor/weights.h"

namespace holdfast::model {

// What an encoder left of some images or sounds: rows one after the other.
struct SignalStates {
  tensor::Floats rows;               // [all, width]
  std::vector<size_t> starts = {0};  // Row where each item's begin, and the end.
  size_t width = 0;

  size_t items() const { return starts.size() - 1; }
  size_t length(size_t item) const { return starts[item + 1] - starts[item]; }
};

// The half of an encoder-decoder model that reads images or sounds instead of a text. Immutable but for
// scratch memory; safe from any thread. An item's bits depend neither on the batch nor on the threads.
class SignalEncoder {
 public:
  virtual ~SignalEncoder() = default;
  // "input_features" [B, bins, frames] or "pixel_values" [B, channels, height, width].
  virtual std::string_view input() const = 0;
  // Of one item, as config.json has it: [bins, frames] or [channels, height, width].
  virtual std::vector<size_t> input_shape() const = 0;
  // Hidden states of the last layer. bad_request where the input is missing or does not fit.
  virtual Result<SignalStates> encode(const tensor::Weights& inputs, tensor::Threads& threads) const = 0;
  // What the decoder reads of them, where that is of another width; else they themselves.
  virtual SignalStates for_decoder(const SignalStates& states, tensor::Threads& threads) const = 0;
};

}  // namespace holdfast::model
