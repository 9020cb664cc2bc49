#pragma once

#include <memory>

#include "model/encoder.h"
#include "model/signal_model.h"

namespace holdfast::model {

// What config.json says of a transformer over patches of a spectrum that may overlap (Audio Spectrogram
// Transformer): two tokens of its own before the patches, low bins first, and positions.
struct PatchedSpectrumPlan {
  size_t bins = 128, frames = 1'024, patch = 16, bin_stride = 10, frame_stride = 10;
  EncoderPlan encoder;
  std::string embeddings = "embeddings.";
  bool classifies = false;
  SignalPurpose purpose;
  std::vector<std::string> prefixes;

  size_t bin_patches() const { return (bins - patch) / bin_stride + 1; }
  size_t frame_patches() const { return (frames - patch) / frame_stride + 1; }
};

// Such a checkpoint. Owns its weights. Immutable but for scratch memory; safe from any thread.
class PatchedSpectrumModel final : public SignalModel {
 public:
  static Result<std::unique_ptr<SignalModel>> open(PatchedSpectrumPlan plan, tensor::Weights weights,
                                                   tensor::Compute compute);

  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override;
  const SignalPurpose& purpose() const override { return plan_.purpose; }

 private:
  PatchedSpectrumModel(PatchedSpectrumPlan plan, tensor::Weights weights)
      : plan_(std::move(plan)), weights_(std::move(weights)) {}
  Status load(const WeightReader& reader);
  void embed(const float* spectrum, float* rows, tensor::Threads& threads) const;

  PatchedSpectrumPlan plan_;
  tensor::Weights weights_;
  const tensor::Kernels* kernels_ = nullptr;  // One of the static tables.
  LinearLayer patches_;                       // Of [frames, bins] of a patch.
  std::vector<float> tokens_, positions_;     // [2, E]; [2 + patches, E]
  std::optional<Encoder> encoder_;
  std::optional<Norm> head_norm_;
  LinearLayer head_;
};

}  // namespace holdfast::model
