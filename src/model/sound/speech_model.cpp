#include "model/sound/speech_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/memory_check.h"
#include "model/sound/layer_weights.h"

namespace holdfast::model {
namespace {

constexpr float norm_epsilon = 1e-5F;  // transformers does not ask config.json for the adapter's.

tensor::Floats multiply(const tensor::Linear& layer, const float* in, size_t rows, tensor::Threads& threads) {
  tensor::Floats out(rows * layer.width());
  tensor::LinearRun run;
  run.in = in;
  run.out = out.data();
  run.rows = rows;
  layer.run(run, threads);
  return out;
}

// Mean and, where wanted, unbiased deviation of each column of some rows.
void summarize(const float* rows, size_t count, size_t width, float* mean, float* deviation) {
  for (size_t i = 0; i < width; ++i) {
    double sum = 0, squares = 0;
    for (size_t row = 0; row < count; ++row) sum += rows[row * width + i];
    const double middle = sum / static_cast<double>(count);
    mean[i] = static_cast<float>(middle);
    for (size_t row = 0; deviation != nullptr && row < count; ++row) {
      const double off = rows[row * width + i] - middle;
      squares += off * off;
    }
    if (deviation != nullptr)
      deviation[i] = static_cast<float>(std::sqrt(squares / static_cast<double>(count - 1)));
  }
}

}  // namespace

Result<std::unique_ptr<SignalModel>> SpeechModel::open(SpeechPlan plan, tensor::Weights weights,
                                                       tensor::Compute compute) {
  TRY_DONE(check_memory(weights, compute));
  std::unique_ptr<SpeechModel> out(new SpeechModel(std::move(weights)));
  out->plan_ = std::move(plan);
  out->kernels_ = &tensor::kernels_for(compute.isa);
  const WeightReader reader(out->weights_, out->plan_.prefixes, compute);
  TRY_DONE(out->load(reader));
  return std::unique_ptr<SignalModel>(std::move(out));
}

Status SpeechModel::load(const WeightReader& reader) {
  const size_t width = plan_.encoder.width;
  TRY(features_, WaveFeatures::load(plan_.features, reader));
  if (plan_.feature_norm) {
    TRY(feature_norm_, reader.norm("feature_projection.layer_norm", features_->width()));
  }
  TRY(projection_, reader.linear("feature_projection.projection", width, features_->width()));
  TRY(positions_, PositionConvolution::load(plan_.positions, width, reader));
  TRY(encoder_, Encoder::load(plan_.encoder, reader));
  if (plan_.adapter) {
    const SpeechPlan::Adapter& adapter = *plan_.adapter;
    if (adapter.width != width) {
      TRY(adapter_projection_, reader.linear("adapter.proj", adapter.width, width));
      TRY(adapter_norm_, reader.norm("adapter.proj_layer_norm", adapter.width));
    }
    for (size_t i = 0; i < adapter.layers; ++i) {
      TRY(TimeConvolution layer, TimeConvolution::load(reader, fmt::format("adapter.layers.{}.conv", i),
                                                       {.inputs = adapter.width,
                                                        .outputs = 2 * adapter.width,
                                                        .kernel = adapter.kernel,
                                                        .stride = adapter.stride,
                                                        .before = 1,
                                                        .after = 1}));
      adapters_.push_back(std::move(layer));
    }
  }
  return load_head(reader);
}

Status SpeechModel::load_head(const WeightReader& reader) {
  const size_t width = plan_.adapter ? plan_.adapter->width : plan_.encoder.width;
  const size_t labels = plan_.purpose.labels.size();
  if (plan_.weighs_layers) {
    TRY(layer_weights_, load_layer_weights(reader, plan_.encoder.layers.size() + 1));
  }
  switch (plan_.head) {
    case SpeechPlan::Head::none:
      return Done{};
    case SpeechPlan::Head::letters: {
      TRY(head_, reader.linear("lm_head", plan_.vocabulary, width));
      return Done{};
    }
    case SpeechPlan::Head::sequence: {
      TRY(projector_, reader.linear("projector", plan_.projected, width));
      TRY(head_, reader.linear("classifier", labels, plan_.projected));
      return Done{};
    }
    case SpeechPlan::Head::frames: {
      TRY(head_, reader.linear("classifier", labels, width));
      return Done{};
    }
    case SpeechPlan::Head::voice: {
      size_t inputs = plan_.voice_layers.front().width;
      TRY(projector_, reader.linear("projector", inputs, width));
      for (size_t i = 0; i < plan_.voice_layers.size(); ++i) {
        const SpeechPlan::VoiceLayer& layer = plan_.voice_layers[i];
        const std::string name = fmt::format("tdnn.{}.kernel", i);
        // Stored as a linear layer of all that the kernel covers, row by row.
        TRY(const std::vector<float> rows,
            reader.floats(name + ".weight", {layer.width, layer.kernel * inputs}));
        std::vector<float> weight(rows.size());
        for (size_t row = 0; row < layer.width; ++row)
          for (size_t tap = 0; tap < layer.kernel; ++tap)
            for (size_t channel = 0; channel < inputs; ++channel)
              weight[(row * inputs + channel) * layer.kernel + tap] =
                  rows[(row * layer.kernel + tap) * inputs + channel];
        TRY(const std::vector<float> bias, reader.floats(name + ".bias", {layer.width}));
        TRY(TimeConvolution made, TimeConvolution::of({.inputs = inputs,
                                                       .outputs = layer.width,
                                                       .kernel = layer.kernel,
                                                       .dilation = layer.dilation},
                                                      weight, bias, reader.compute()));
        voice_layers_.push_back(std::move(made));
        inputs = layer.width;
      }
      // The name stands for the model's own convolutions too, which have it with a prefix and longer.
      TRY(voice_, reader.linear("feature_extractor", plan_.voice_width, 2 * inputs));
      TRY(head_, reader.linear("classifier", plan_.voice_width, plan_.voice_width));
      return Done{};
    }
  }
  return Done{};
}

// Where what follows the encoder reads frames past the last one that counts, these are computed as in
// transformers: nobody sees them, but they see the others.
bool SpeechModel::keeps_padding(const Waves& waves) const {
  return waves.masked && (plan_.adapter || plan_.head == SpeechPlan::Head::voice);
}

Result<SpeechModel::Frames> SpeechModel::embed(const Waves& waves, tensor::Threads& threads) const {
  Frames out;
  out.width = features_->frames(waves.width);
  const bool pads = keeps_padding(waves);
  for (size_t row = 0; row < waves.height(); ++row) {
    const size_t count = features_->frames(waves.lengths[row]);
    if (count == 0)
      return fail(Reason::bad_request, fmt::format("sound {} has {} samples where the convolutions need {}",
                                                   row, waves.lengths[row], features_->samples_min()));
    out.counts.push_back(count);
    for (size_t i = 0; i < (pads ? out.width : count); ++i) {
      out.batch.add(0, 0, static_cast<int64_t>(i));
      if (pads) out.batch.padding.push_back(i < count ? 0 : 1);
    }
    out.batch.end_sequence();
  }
  const size_t narrow = features_->width(), width = plan_.encoder.width;
  out.features = tensor::Floats(out.batch.tokens() * narrow);
  std::fill_n(out.features.data(), out.features.size(), 0.0F);
  const bool whole = plan_.features.norm == WaveFeaturesPlan::Norm::group;
  for (size_t row = 0; row < waves.height(); ++row)
    features_->run(waves.row(row).first(whole ? waves.width : waves.lengths[row]), out.counts[row],
                   out.features.data() + out.batch.starts[row] * narrow, threads);
  if (feature_norm_)
    kernels_->layer_norm({out.features.data(), out.features.data(), feature_norm_->gamma.data(),
                          feature_norm_->beta.data(), out.batch.tokens(), narrow, plan_.encoder.epsilon});
  const tensor::Floats hidden = multiply(*projection_, out.features.data(), out.batch.tokens(), threads);
  out.batch.embedded.assign(hidden.data(), hidden.data() + hidden.size());
  for (size_t row = 0; row < waves.height(); ++row) {
    const size_t count = out.counts[row], length = out.batch.length(row);
    float* rows = out.batch.embedded.data() + out.batch.starts[row] * width;
    std::fill(rows + count * width, rows + length * width, 0.0F);
    if (length == count && positions_->reads_padding() && count < out.width) {
      std::vector<float> padded(out.width * width, 0.0F);
      std::copy_n(rows, count * width, padded.data());
      positions_->add_to(padded.data(), out.width, threads);
      std::copy_n(padded.data(), count * width, rows);
    } else {
      positions_->add_to(rows, length, threads);
    }
  }
  TRY(out.hidden, encoder_->forward(out.batch, threads, plan_.weighs_layers ? &out.states : nullptr));
  return out;
}

Status SpeechModel::adapt(Frames& frames, tensor::Threads& threads) const {
  const size_t width = plan_.adapter->width;
  if (adapter_projection_ != nullptr) {
    frames.hidden = multiply(*adapter_projection_, frames.hidden.data(), frames.batch.tokens(), threads);
    kernels_->layer_norm({frames.hidden.data(), frames.hidden.data(), adapter_norm_->gamma.data(),
                          adapter_norm_->beta.data(), frames.batch.tokens(), width, norm_epsilon});
  }
  Frames fewer;
  fewer.width = frames.width;
  for (const TimeConvolution& layer : adapters_) fewer.width = layer.frames(fewer.width);
  std::vector<float> all;
  for (size_t row = 0; row < frames.counts.size(); ++row) {
    size_t length = frames.batch.length(row), count = frames.counts[row];
    tensor::Floats in(length * width);
    std::copy_n(frames.hidden.data() + frames.batch.starts[row] * width, in.size(), in.data());
    for (const TimeConvolution& layer : adapters_) {
      const size_t made = layer.frames(length);
      if (made == 0)
        return fail(Reason::bad_request,
                    fmt::format("sound {} is too short for the adapter's convolutions", row));
      tensor::Floats pairs(made * 2 * width), out(made * width);
      layer.run(in.data(), length, pairs.data(), threads);
      for (size_t frame = 0; frame < made; ++frame)
        for (size_t i = 0; i < width; ++i) {
          const float* at = pairs.data() + frame * 2 * width + i;
          out.data()[frame * width + i] = at[0] / (1.0F + std::exp(-at[width]));
        }
      in = std::move(out);
      length = made;
      count = (count - 1) / layer.shape().stride + 1;  // transformers counts as if the kernel were one wide.
    }
    count = std::min(count, length);
    for (size_t i = 0; i < count; ++i) fewer.batch.add(0, 0, static_cast<int64_t>(i));
    fewer.batch.end_sequence();
    fewer.counts.push_back(count);
    all.insert(all.end(), in.data(), in.data() + count * width);
  }
  fewer.hidden = tensor::Floats(all.size());
  std::copy(all.begin(), all.end(), fewer.hidden.data());
  fewer.batch.embedded.clear();
  frames = std::move(fewer);
  return Done{};
}

// In the padded shape, zeros where padding is.
NamedTensor SpeechModel::spread(const Frames& frames, std::string name, const tensor::Floats& rows,
                                size_t columns) const {
  NamedTensor out{std::move(name), {frames.counts.size(), frames.width, columns}, {}, false};
  out.data.assign(frames.counts.size() * frames.width * columns, 0.0F);
  for (size_t row = 0; row < frames.counts.size(); ++row)
    std::copy_n(rows.data() + frames.batch.starts[row] * columns, frames.counts[row] * columns,
                out.data.data() + row * frames.width * columns);
  return out;
}

std::vector<NamedTensor> SpeechModel::sequence(const Frames& frames, const tensor::Floats& rows,
                                               tensor::Threads& threads) const {
  const size_t width = projector_->width(), count = frames.counts.size();
  const tensor::Floats projected = multiply(*projector_, rows.data(), frames.batch.tokens(), threads);
  tensor::Floats pooled(count * width);
  for (size_t row = 0; row < count; ++row)
    summarize(projected.data() + frames.batch.starts[row] * width, frames.counts[row], width,
              pooled.data() + row * width, nullptr);
  const tensor::Floats logits = multiply(*head_, pooled.data(), count, threads);
  return {{"logits", {count, head_->width()}, {logits.data(), logits.data() + logits.size()}, false}};
}

// What tells voices apart (XVector): convolutions over time, then mean and deviation.
Result<std::vector<NamedTensor>> SpeechModel::voice(const Frames& frames, const tensor::Floats& rows,
                                                    bool masked, tensor::Threads& threads) const {
  const size_t width = voice_layers_.back().shape().outputs, count = frames.counts.size();
  const tensor::Floats projected = multiply(*projector_, rows.data(), frames.batch.tokens(), threads);
  tensor::Floats pooled(count * 2 * width);
  for (size_t row = 0; row < count; ++row) {
    size_t length = frames.batch.length(row), counted = frames.counts[row];
    tensor::Floats in(length * projector_->width());
    std::copy_n(projected.data() + frames.batch.starts[row] * projector_->width(), in.size(), in.data());
    for (const TimeConvolution& layer : voice_layers_) {
      const size_t made = layer.frames(length), reach = layer.shape().kernel - 1;
      tensor::Floats out(made * layer.shape().outputs);
      layer.run(in.data(), length, out.data(), threads, tensor::Activation::relu);
      in = std::move(out);
      length = made;
      counted -= std::min(counted, reach);  // transformers counts without dilation.
    }
    if (masked) length = std::min(length, counted);
    if (length < 2)
      return fail(Reason::bad_request,
                  fmt::format("sound {} is too short for the head that tells voices apart", row));
    summarize(in.data(), length, width, pooled.data() + row * 2 * width,
              pooled.data() + row * 2 * width + width);
  }
  const tensor::Floats embedded = multiply(*voice_, pooled.data(), count, threads);
  const tensor::Floats logits = multiply(*head_, embedded.data(), count, threads);
  const auto named = [&](std::string name, const tensor::Floats& data) {
    return NamedTensor{
        std::move(name), {count, plan_.voice_width}, {data.data(), data.data() + data.size()}, false};
  };
  std::vector<NamedTensor> out;
  out.push_back(named("logits", logits));
  out.push_back(named("embeddings", embedded));
  return out;
}

Result<std::vector<NamedTensor>> SpeechModel::forward(const tensor::Weights& inputs,
                                                      tensor::Threads& threads) const {
  TRY(const Waves waves, read_waves(inputs));
  TRY(Frames frames, embed(waves, threads));
  std::vector<NamedTensor> out;
  if (plan_.head == SpeechPlan::Head::none && plan_.answers_features)
    out.push_back(spread(frames, "extract_features", frames.features, features_->width()));
  if (plan_.weighs_layers) frames.hidden = weigh_layers(layer_weights_, frames.states);
  if (plan_.adapter) TRY_DONE(adapt(frames, threads));
  const auto each = [&] { return multiply(*head_, frames.hidden.data(), frames.batch.tokens(), threads); };
  switch (plan_.head) {
    case SpeechPlan::Head::none:
      out.push_back(spread(frames, "last_hidden_state", frames.hidden,
                           plan_.adapter ? plan_.adapter->width : plan_.encoder.width));
      return out;
    case SpeechPlan::Head::letters: {
      out.push_back(spread(frames, "logits", each(), head_->width()));
      NamedTensor lengths{"frame_lengths", {frames.counts.size()}, {}, true};
      for (size_t count : frames.counts) lengths.data.push_back(static_cast<float>(count));
      out.push_back(std::move(lengths));
      return out;
    }
    case SpeechPlan::Head::frames:
      out.push_back(spread(frames, "logits", each(), head_->width()));
      return out;
    case SpeechPlan::Head::sequence:
      return sequence(frames, frames.hidden, threads);
    case SpeechPlan::Head::voice:
      return voice(frames, frames.hidden, waves.masked, threads);
  }
  return out;
}

}  // namespace holdfast::model
