#include "model/sound/patched_spectrum.h"

#include <fmt/format.h>

#include <algorithm>

#include "model/memory_check.h"
#include "model/sound/sound_inputs.h"

namespace holdfast::model {

Result<std::unique_ptr<SignalModel>> PatchedSpectrumModel::open(PatchedSpectrumPlan plan,
                                                                tensor::Weights weights,
                                                                tensor::Compute compute) {
  TRY_DONE(check_memory(weights, compute));
  std::unique_ptr<PatchedSpectrumModel> out(new PatchedSpectrumModel(std::move(plan), std::move(weights)));
  const WeightReader reader(out->weights_, out->plan_.prefixes, compute, out->plan_.encoder.renames);
  TRY_DONE(out->load(reader));
  return std::unique_ptr<SignalModel>(std::move(out));
}

Status PatchedSpectrumModel::load(const WeightReader& reader) {
  kernels_ = &tensor::kernels_for(reader.compute().isa);
  const size_t width = plan_.encoder.width, side = plan_.patch, area = side * side;
  const std::string& at = plan_.embeddings;
  TRY(const std::vector<float> stored,
      reader.floats(at + "patch_embeddings.projection.weight", {width, 1, side, side}));
  TRY(const std::vector<float> bias, reader.floats(at + "patch_embeddings.projection.bias", {width}));
  // Stored bins first; a spectrum has a frame's bins beside each other.
  std::vector<float> turned(stored.size());
  for (size_t row = 0; row < width; ++row)
    for (size_t bin = 0; bin < side; ++bin)
      for (size_t frame = 0; frame < side; ++frame)
        turned[row * area + frame * side + bin] = stored[row * area + bin * side + frame];
  patches_ = tensor::make_linear({turned, bias, width, area}, reader.compute());
  for (const char* name : {"cls_token", "distillation_token"}) {
    TRY(const std::vector<float> token, reader.floats(at + name, {1, 1, width}));
    tokens_.insert(tokens_.end(), token.begin(), token.end());
  }
  TRY(positions_,
      reader.floats(at + "position_embeddings", {1, plan_.bin_patches() * plan_.frame_patches() + 2, width}));
  TRY(encoder_, Encoder::load(plan_.encoder, reader));
  if (plan_.classifies) {
    TRY(head_norm_, reader.norm("classifier.layernorm", width));
    TRY(head_, reader.linear("classifier.dense", plan_.purpose.labels.size(), width));
  }
  return Done{};
}

void PatchedSpectrumModel::embed(const float* spectrum, float* rows, tensor::Threads& threads) const {
  const size_t width = plan_.encoder.width, side = plan_.patch, area = side * side;
  const size_t high = plan_.bin_patches(), wide = plan_.frame_patches();
  tensor::Floats covered(high * wide * area);
  for (size_t i = 0; i < high * wide; ++i)
    for (size_t frame = 0; frame < side; ++frame)
      std::copy_n(
          spectrum + (i % wide * plan_.frame_stride + frame) * plan_.bins + i / wide * plan_.bin_stride, side,
          covered.data() + i * area + frame * side);
  std::copy(tokens_.begin(), tokens_.end(), rows);
  tensor::LinearRun run;
  run.in = covered.data();
  run.out = rows + 2 * width;
  run.rows = high * wide;
  patches_->run(run, threads);
  kernels_->add(rows, positions_.data(), positions_.size());
}

Result<std::vector<NamedTensor>> PatchedSpectrumModel::forward(const tensor::Weights& inputs,
                                                               tensor::Threads& threads) const {
  if (inputs.find("attention_mask") != nullptr)
    return fail(Reason::model_unsupported, "an attention_mask over patches of a spectrum is not supported");
  TRY(const SignalTensor given, read_signal(inputs, "input_values", 3));
  const size_t items = given.shape[0], width = plan_.encoder.width;
  if (given.shape[1] != plan_.frames || given.shape[2] != plan_.bins)
    return fail(Reason::bad_request, fmt::format("input_values has {} frames and {} bins; the model takes {} "
                                                 "and {}, shorter sounds padded",
                                                 given.shape[1], given.shape[2], plan_.frames, plan_.bins));
  const size_t rows = plan_.bin_patches() * plan_.frame_patches() + 2;
  TokenBatch batch;
  for (size_t item = 0; item < items; ++item) {
    for (size_t i = 0; i < rows; ++i) batch.add(0, 0, static_cast<int64_t>(i));
    batch.end_sequence();
  }
  batch.embedded.resize(items * rows * width);
  for (size_t item = 0; item < items; ++item)
    embed(given.data.data() + item * plan_.frames * plan_.bins, batch.embedded.data() + item * rows * width,
          threads);
  TRY(const tensor::Floats hidden, encoder_->forward(batch, threads));
  tensor::Floats pooled(items * width);
  for (size_t item = 0; item < items; ++item)
    for (size_t i = 0; i < width; ++i) {
      const float* first = hidden.data() + item * rows * width;
      pooled.data()[item * width + i] = (first[i] + first[width + i]) / 2;
    }
  std::vector<NamedTensor> out;
  if (!plan_.classifies) {
    out.push_back(
        {"last_hidden_state", {items, rows, width}, {hidden.data(), hidden.data() + hidden.size()}, false});
    out.push_back({"pooler_output", {items, width}, {pooled.data(), pooled.data() + pooled.size()}, false});
    return out;
  }
  kernels_->layer_norm({pooled.data(), pooled.data(), head_norm_->gamma.data(), head_norm_->beta.data(),
                        items, width, plan_.encoder.epsilon});
  NamedTensor logits{"logits", {items, head_->width()}, {}, false};
  logits.data.resize(items * head_->width());
  tensor::LinearRun run;
  run.in = pooled.data();
  run.out = logits.data.data();
  run.rows = items;
  head_->run(run, threads);
  out.push_back(std::move(logits));
  return out;
}

}  // namespace holdfast::model
