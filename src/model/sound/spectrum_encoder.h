#pragma once

#include <memory>

#include "model/encoder.h"
#include "model/signal_encoder.h"
#include "model/sound/time_convolution.h"

namespace holdfast::model {

// What config.json says of an encoder that reads a spectrum over time (Whisper): two convolutions, of which
// the second halves the frames, positions, then the shared block.
struct SpectrumPlan {
  size_t bins = 80, frames = 1'500;  // frames: after the convolutions.
  EncoderPlan encoder;
};

// Immutable but for scratch memory; safe from any thread.
class SpectrumEncoder final : public SignalEncoder {
 public:
  // Borrows what the reader has for embedding tables.
  static Result<std::unique_ptr<SpectrumEncoder>> load(const SpectrumPlan& plan, const WeightReader& reader);

  std::string_view input() const override { return "input_features"; }
  std::vector<size_t> input_shape() const override { return {plan_.bins, 2 * plan_.frames}; }
  Result<SignalStates> encode(const tensor::Weights& inputs, tensor::Threads& threads) const override {
    return encode_all(inputs, threads, nullptr);
  }
  SignalStates for_decoder(const SignalStates& states, tensor::Threads& threads) const override;
  // `states`, where given: as Encoder::forward has it, but the last one after the final norm.
  Result<SignalStates> encode_all(const tensor::Weights& inputs, tensor::Threads& threads,
                                  std::vector<tensor::Floats>* states) const;

 private:
  SpectrumEncoder() = default;

  SpectrumPlan plan_;
  std::vector<TimeConvolution> convolutions_;
  std::unique_ptr<Encoder> encoder_;
};

}  // namespace holdfast::model
