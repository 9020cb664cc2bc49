#include "model/sound/spectrum_encoder.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/sound/sound_inputs.h"

namespace holdfast::model {

Result<std::unique_ptr<SpectrumEncoder>> SpectrumEncoder::load(const SpectrumPlan& plan,
                                                               const WeightReader& reader) {
  std::unique_ptr<SpectrumEncoder> out(new SpectrumEncoder());
  out->plan_ = plan;
  const size_t width = plan.encoder.width;
  const TimeConvolution::Shape first{
      .inputs = plan.bins, .outputs = width, .kernel = 3, .before = 1, .after = 1};
  const TimeConvolution::Shape second{
      .inputs = width, .outputs = width, .kernel = 3, .stride = 2, .before = 1, .after = 1};
  for (const auto& [name, shape] : {std::pair("encoder.conv1", first), std::pair("encoder.conv2", second)}) {
    TRY(TimeConvolution one, TimeConvolution::load(reader, name, shape));
    out->convolutions_.push_back(std::move(one));
  }
  TRY(Encoder encoder, Encoder::load(plan.encoder, reader));
  out->encoder_ = std::make_unique<Encoder>(std::move(encoder));
  return out;
}

Result<SignalStates> SpectrumEncoder::encode_all(const tensor::Weights& inputs, tensor::Threads& threads,
                                                 std::vector<tensor::Floats>* states) const {
  TRY(const SignalTensor given, read_signal(inputs, input(), 3));
  const size_t items = given.shape[0], bins = given.shape[1], columns = given.shape[2];
  if (bins != plan_.bins || columns != 2 * plan_.frames)
    return fail(Reason::bad_request, fmt::format("input_features has {} bins and {} frames; the model takes "
                                                 "{} and {}, shorter sounds padded",
                                                 bins, columns, plan_.bins, 2 * plan_.frames));
  const size_t width = plan_.encoder.width;
  TokenBatch batch;
  for (size_t item = 0; item < items; ++item) {
    for (size_t i = 0; i < plan_.frames; ++i) batch.add(0, 0, static_cast<int64_t>(i));
    batch.end_sequence();
  }
  batch.embedded.resize(batch.tokens() * width);
  tensor::Floats turned(columns * bins), middle(columns * width);
  for (size_t item = 0; item < items; ++item) {
    const float* from = given.data.data() + item * bins * columns;
    for (size_t bin = 0; bin < bins; ++bin)
      for (size_t i = 0; i < columns; ++i) turned.data()[i * bins + bin] = from[bin * columns + i];
    convolutions_[0].run(turned.data(), columns, middle.data(), threads, tensor::Activation::gelu);
    convolutions_[1].run(middle.data(), columns, batch.embedded.data() + batch.starts[item] * width, threads,
                         tensor::Activation::gelu);
  }
  SignalStates out;
  out.width = width;
  out.starts = batch.starts;
  TRY(out.rows, encoder_->forward(batch, threads, states));
  if (states != nullptr) std::copy_n(out.rows.data(), out.rows.size(), states->back().data());
  return out;
}

SignalStates SpectrumEncoder::for_decoder(const SignalStates& states, tensor::Threads& /*threads*/) const {
  SignalStates out;
  out.width = states.width;
  out.starts = states.starts;
  out.rows = tensor::Floats(states.rows.size());
  std::copy_n(states.rows.data(), states.rows.size(), out.rows.data());
  return out;
}

}  // namespace holdfast::model
