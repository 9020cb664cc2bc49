#pragma once

#include "model/signal_model.h"
#include "model/sound/spectrum_encoder.h"

namespace holdfast::model {

// A spectrum's encoder and a classifier of the mean of its frames (WhisperForAudioClassification). Owns its
// weights. Immutable but for scratch memory; safe from any thread.
class SpectrumClassifier final : public SignalModel {
 public:
  struct Plan {
    SpectrumPlan spectrum;
    bool weighs_layers = false;  // Read a mean of all layers' outputs instead of the last one's.
    size_t projected = 256;
    std::vector<std::string> labels;
    std::vector<std::string> prefixes;
  };
  static Result<std::unique_ptr<SignalModel>> open(const Plan& plan, tensor::Weights weights,
                                                   tensor::Compute compute);

  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override;
  const SignalPurpose& purpose() const override { return purpose_; }

 private:
  explicit SpectrumClassifier(tensor::Weights weights) : weights_(std::move(weights)) {}

  tensor::Weights weights_;
  SignalPurpose purpose_;
  std::unique_ptr<SpectrumEncoder> encoder_;
  std::vector<float> layer_weights_;
  LinearLayer projector_, classifier_;
};

}  // namespace holdfast::model
