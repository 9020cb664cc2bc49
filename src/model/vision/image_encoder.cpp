#include "model/vision/image_encoder.h"

#include <algorithm>

namespace holdfast::model {

Result<std::unique_ptr<SignalEncoder>> ImageEncoder::load(const ImageTowerPlan& plan,
                                                          const WeightReader& reader, size_t projected) {
  TRY(ImageTower tower, ImageTower::load(plan, reader));
  std::unique_ptr<ImageEncoder> out(new ImageEncoder(std::move(tower)));
  if (projected > 0) {
    TRY(out->projection_, reader.linear("enc_to_dec_proj", projected, plan.encoder.width));
  }
  return std::unique_ptr<SignalEncoder>(std::move(out));
}

Result<SignalStates> ImageEncoder::encode(const tensor::Weights& inputs, tensor::Threads& threads) const {
  TRY(const Images images, read_images(inputs, tower_.plan().patches.channels));
  TRY(const bool interpolates, read_switch(inputs, "interpolate_pos_encoding"));
  TRY(ImageRows rows, tower_.forward(images, interpolates, threads));
  SignalStates out;
  out.width = rows.width;
  for (size_t i = 1; i <= rows.images; ++i) out.starts.push_back(i * rows.rows);
  out.rows = std::move(rows.data);
  return out;
}

SignalStates ImageEncoder::for_decoder(const SignalStates& states, tensor::Threads& threads) const {
  SignalStates out;
  out.starts = states.starts;
  out.width = projection_ != nullptr ? projection_->width() : states.width;
  out.rows = tensor::Floats(states.starts.back() * out.width);
  if (projection_ == nullptr) {
    std::copy_n(states.rows.data(), states.rows.size(), out.rows.data());
    return out;
  }
  tensor::LinearRun run;
  run.in = states.rows.data();
  run.out = out.rows.data();
  run.rows = states.starts.back();
  projection_->run(run, threads);
  return out;
}

}  // namespace holdfast::model
