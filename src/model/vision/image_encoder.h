#pragma once

#include <memory>

#include "model/signal_encoder.h"
#include "model/vision/image_tower.h"

namespace holdfast::model {

// The half of an encoder-decoder model that reads images. Immutable but for scratch memory; safe from any
// thread. Borrows the weights.
class ImageEncoder final : public SignalEncoder {
 public:
  // `projected`: the width that enc_to_dec_proj brings its rows to for the decoder; 0: none.
  static Result<std::unique_ptr<SignalEncoder>> load(const ImageTowerPlan& plan, const WeightReader& reader,
                                                     size_t projected);

  std::string_view input() const override { return "pixel_values"; }
  std::vector<size_t> input_shape() const override {
    return {tower_.plan().patches.channels, tower_.plan().image.height, tower_.plan().image.width};
  }
  Result<SignalStates> encode(const tensor::Weights& inputs, tensor::Threads& threads) const override;
  SignalStates for_decoder(const SignalStates& states, tensor::Threads& threads) const override;

 private:
  explicit ImageEncoder(ImageTower tower) : tower_(std::move(tower)) {}

  ImageTower tower_;
  LinearLayer projection_;  // Null: none.
};

}  // namespace holdfast::model
