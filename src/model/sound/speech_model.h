#pragma once

#include <memory>

#include "model/encoder.h"
#include "model/signal_model.h"
#include "model/sound/sound_inputs.h"
#include "model/sound/speech_plan.h"

namespace holdfast::model {

// A checkpoint that reads samples: wav2vec 2.0 and its likes. Owns its weights. Immutable but for scratch
// memory; safe from any thread.
class SpeechModel final : public SignalModel {
 public:
  static Result<std::unique_ptr<SignalModel>> open(SpeechPlan plan, tensor::Weights weights,
                                                   tensor::Compute compute);

  // Answers beside transformers' outputs, with a head for letters, `frame_lengths`: of each row, how many
  // frames count.
  Result<std::vector<NamedTensor>> forward(const tensor::Weights& inputs,
                                           tensor::Threads& threads) const override;
  const SignalPurpose& purpose() const override { return plan_.purpose; }

 private:
  // Frames of a batch, rows one after the other.
  struct Frames {
    TokenBatch batch;
    std::vector<size_t> counts;  // That count, of each row's.
    size_t width = 0;            // Of a row with its padding.
    tensor::Floats features, hidden;
    std::vector<tensor::Floats> states;
  };

  explicit SpeechModel(tensor::Weights weights) : weights_(std::move(weights)) {}
  Status load(const WeightReader& reader);
  Status load_head(const WeightReader& reader);
  bool keeps_padding(const Waves& waves) const;
  Result<Frames> embed(const Waves& waves, tensor::Threads& threads) const;
  // Fewer frames, in place.
  Status adapt(Frames& frames, tensor::Threads& threads) const;
  NamedTensor spread(const Frames& frames, std::string name, const tensor::Floats& rows,
                     size_t columns) const;
  Result<std::vector<NamedTensor>> voice(const Frames& frames, const tensor::Floats& rows, bool masked,
                                         tensor::Threads& threads) const;
  std::vector<NamedTensor> sequence(const Frames& frames, const tensor::Floats& rows,
                                    tensor::Threads& threads) const;

  SpeechPlan plan_;
  tensor::Weights weights_;
  const tensor::Kernels* kernels_ = nullptr;  // One of the static tables.
  std::optional<WaveFeatures> features_;
  std::optional<Norm> feature_norm_;
  LinearLayer projection_;
  std::optional<PositionConvolution> positions_;
  std::optional<Encoder> encoder_;
  LinearLayer adapter_projection_;
  std::optional<Norm> adapter_norm_;
  std::vector<TimeConvolution> adapters_, voice_layers_;
  std::vector<float> layer_weights_;  // That sum to 1.
  LinearLayer projector_, voice_, head_;
};

}  // namespace holdfast::model
