#include "model/sound/spectrum_classifier.h"

#include <algorithm>

#include "model/memory_check.h"
#include "model/sound/layer_weights.h"

namespace holdfast::model {

Result<std::unique_ptr<SignalModel>> SpectrumClassifier::open(const Plan& plan, tensor::Weights weights,
                                                              tensor::Compute compute) {
  TRY_DONE(check_memory(weights, compute));
  std::unique_ptr<SpectrumClassifier> out(new SpectrumClassifier(std::move(weights)));
  out->purpose_ = {SignalPurpose::Task::audio_classification, plan.labels};
  const WeightReader reader(out->weights_, plan.prefixes, compute);
  TRY(out->encoder_, SpectrumEncoder::load(plan.spectrum, reader));
  if (plan.weighs_layers) {
    TRY(out->layer_weights_, load_layer_weights(reader, plan.spectrum.encoder.layers.size() + 1));
  }
  TRY(out->projector_, reader.linear("projector", plan.projected, plan.spectrum.encoder.width));
  TRY(out->classifier_, reader.linear("classifier", plan.labels.size(), plan.projected));
  return std::unique_ptr<SignalModel>(std::move(out));
}

Result<std::vector<NamedTensor>> SpectrumClassifier::forward(const tensor::Weights& inputs,
                                                             tensor::Threads& threads) const {
  const bool weighs = !layer_weights_.empty();
  std::vector<tensor::Floats> states;
  TRY(SignalStates read, encoder_->encode_all(inputs, threads, weighs ? &states : nullptr));
  if (weighs) read.rows = weigh_layers(layer_weights_, states);
  const size_t width = projector_->width(), rows = read.starts.back();
  tensor::Floats projected(rows * width), pooled(read.items() * width);
  tensor::LinearRun run;
  run.in = read.rows.data();
  run.out = projected.data();
  run.rows = rows;
  projector_->run(run, threads);
  for (size_t item = 0; item < read.items(); ++item)
    for (size_t i = 0; i < width; ++i) {
      double sum = 0;
      for (size_t row = read.starts[item]; row < read.starts[item + 1]; ++row)
        sum += projected.data()[row * width + i];
      pooled.data()[item * width + i] = static_cast<float>(sum / static_cast<double>(read.length(item)));
    }
  NamedTensor logits{"logits", {read.items(), classifier_->width()}, {}, false};
  logits.data.resize(read.items() * classifier_->width());
  run = {};
  run.in = pooled.data();
  run.out = logits.data.data();
  run.rows = read.items();
  classifier_->run(run, threads);
  std::vector<NamedTensor> out;
  out.push_back(std::move(logits));
  return out;
}

}  // namespace holdfast::model
