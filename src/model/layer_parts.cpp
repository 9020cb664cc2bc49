#include "model/layer_parts.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace holdfast::model {

void multiply(const tensor::Linear& layer, const float* in, float* out, size_t rows, tensor::Threads& threads,
              const float* addend, tensor::Activation activation) {
  tensor::LinearRun run;
  run.in = in;
  run.out = out;
  run.rows = rows;
  run.addend = addend;
  run.activation = activation;
  layer.run(run, threads);
}

tensor::Floats apply(const tensor::Linear& layer, const float* in, size_t rows, tensor::Threads& threads,
                     tensor::Activation activation, const float* addend) {
  tensor::Floats out(rows * layer.width());
  multiply(layer, in, out.data(), rows, threads, addend, activation);
  return out;
}

Result<LinearLayer> keep_linear(const WeightReader& reader, const std::string& name,
                                const std::vector<float>& weight, const std::vector<float>& bias,
                                size_t outputs, size_t inputs) {
  return reader.kept(name, {outputs, inputs}, [&]() -> Result<LinearLayer> {
    return tensor::make_linear({weight, bias, outputs, inputs}, reader.compute());
  });
}

Result<RowScale> RowScale::load(const WeightReader& reader, const std::string& name, size_t width, Kind kind,
                                float epsilon, Bias bias) {
  RowScale out;
  out.kind_ = kind;
  out.epsilon_ = epsilon;
  out.kernels_ = &tensor::kernels_for(reader.compute().isa);
  TRY(out.norm_, reader.norm(name, width, kind == Kind::root_mean_square ? Bias::without : bias));
  return out;
}

void RowScale::run(float* x, size_t rows) const {
  const size_t width = norm_.gamma.size();
  const tensor::LayerNormJob job{x, x, norm_.gamma.data(), norm_.beta.data(), rows, width, epsilon_};
  switch (kind_) {
    case Kind::layer:
      return kernels_->layer_norm(job);
    case Kind::root_mean_square:
      return kernels_->rms_norm(job);
    case Kind::none:
      for (size_t row = 0; row < rows; ++row)
        for (size_t i = 0; i < width; ++i)
          x[row * width + i] = x[row * width + i] * norm_.gamma[i] + norm_.beta[i];
  }
}

Result<LayerEnd> LayerEnd::load_norms(const WeightReader& reader, const std::string& at, size_t width,
                                      tensor::Activation activation, float epsilon) {
  const auto kind = RowScale::Kind::layer;
  LayerEnd out;
  out.activation = activation;
  TRY(out.attention_out, reader.linear(at + "attention.output.dense", width, width));
  TRY(out.attention_norm, RowScale::load(reader, at + "attention.output.LayerNorm", width, kind, epsilon));
  TRY(out.norm, RowScale::load(reader, at + "output.LayerNorm", width, kind, epsilon));
  return out;
}

Result<LayerEnd> LayerEnd::load(const WeightReader& reader, const std::string& at, size_t width, size_t inner,
                                tensor::Activation activation, float epsilon) {
  TRY(LayerEnd out, load_norms(reader, at, width, activation, epsilon));
  TRY(out.inner, reader.linear(at + "intermediate.dense", inner, width));
  TRY(out.out, reader.linear(at + "output.dense", width, inner));
  return out;
}

void LayerEnd::run(const float* context, float* x, size_t rows, tensor::Threads& threads) const {
  tensor::Floats attended = apply(*attention_out, context, rows, threads, tensor::Activation::none, x);
  attention_norm.run(attended.data(), rows);
  const tensor::Floats wide = apply(*inner, attended.data(), rows, threads, activation);
  const tensor::Floats left =
      apply(*out, wide.data(), rows, threads, tensor::Activation::none, attended.data());
  std::copy_n(left.data(), left.size(), x);
  norm.run(x, rows);
}

bool hides_tokens(const TokenBatch& batch, size_t first, size_t last) {
  if (batch.padding.empty()) return false;
  const auto at = [&](size_t sequence) {
    return batch.padding.begin() + static_cast<ptrdiff_t>(batch.starts[sequence]);
  };
  return std::any_of(at(first), at(last), [](uint8_t hidden) { return hidden != 0; });
}

void attend_within(const TokenBatch& batch, size_t first, size_t last, const SelfAttention& attention,
                   tensor::Compute compute, tensor::Threads& threads) {
  std::vector<size_t> starts;
  for (size_t i = first; i <= last; ++i) starts.push_back(batch.starts[i] - batch.starts[first]);
  tensor::Attention job;
  job.query = attention.query;
  job.key = attention.key;
  job.value = attention.value;
  job.out = attention.out;
  job.query_stride = attention.query_stride;
  job.key_stride = attention.key_stride;
  job.value_stride = attention.value_stride;
  job.out_stride = attention.out_stride;
  job.query_starts = job.key_starts = starts;
  job.heads = job.key_heads = attention.heads;
  job.head_width = attention.head_width;
  job.scale =
      attention.scale > 0 ? attention.scale : 1.0F / std::sqrt(static_cast<float>(attention.head_width));
  job.bias.by_distance = attention.by_distance;
  job.bias.reach = attention.reach;
  const bool hides = hides_tokens(batch, first, last);
  if (hides || attention.add)
    job.bias.add = [&](const tensor::AttentionBias::Block& block) {
      if (attention.add) attention.add(block);
      const size_t row = batch.starts[first + block.sequence];
      for (size_t key = 0; hides && key < block.keys; ++key)
        for (size_t i = 0; batch.padding[row + key] != 0 && i < block.queries; ++i)
          block.scores[i * block.stride + key] = -std::numeric_limits<float>::infinity();
    };
  tensor::attend(job, compute, threads);
}

Result<JoinedAttention> JoinedAttention::load(const WeightReader& reader,
                                              const std::vector<std::string>& names, const Sizes& sizes,
                                              Bias bias) {
  JoinedAttention out;
  out.sizes_ = sizes;
  out.compute_ = reader.compute();
  const std::vector<size_t> outputs(names.size(), out.width());
  TRY(out.joined_, reader.joined(names, outputs, sizes.inputs, bias));
  return out;
}

SelfAttention JoinedAttention::job(const tensor::Floats& joined, float* out, size_t out_stride) const {
  SelfAttention job;
  job.query = joined.data();
  job.key = job.query + width();
  job.value = job.key + width();
  job.query_stride = job.key_stride = job.value_stride = stride();
  job.out = out;
  job.out_stride = out_stride;
  job.heads = sizes_.heads;
  job.head_width = sizes_.head_width;
  return job;
}

void JoinedAttention::attend(const TokenBatch& batch, size_t first, size_t last, const tensor::Floats& joined,
                             float* out, size_t out_stride, tensor::Threads& threads) const {
  attend_within(batch, first, last, job(joined, out, out_stride), compute_, threads);
}

}  // namespace holdfast::model
