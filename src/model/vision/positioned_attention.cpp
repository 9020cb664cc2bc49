#include "model/vision/positioned_attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace holdfast::model {
namespace {

tensor::Floats multiply(const tensor::Linear& layer, const PositionedRows& rows, const float* positions,
                        tensor::Threads& threads) {
  const size_t inputs = layer.inputs();
  tensor::Floats sum, out(rows.count * layer.width());
  tensor::LinearRun run;
  run.in = rows.data;
  if (positions != nullptr) {
    sum = tensor::Floats(rows.count * inputs);
    for (size_t i = 0; i < sum.size(); ++i) sum.data()[i] = rows.data[i] + positions[i];
    run.in = sum.data();
  }
  run.out = out.data();
  run.rows = rows.count;
  layer.run(run, threads);
  return out;
}

}  // namespace

Result<PositionedAttention> PositionedAttention::load(const WeightReader& reader, const std::string& name,
                                                      size_t width, size_t heads) {
  PositionedAttention out;
  out.width_ = width;
  out.heads_ = heads;
  out.compute_ = reader.compute();
  TRY(out.query_, reader.linear(name + ".q_proj", width, width));
  TRY(out.key_, reader.linear(name + ".k_proj", width, width));
  TRY(out.value_, reader.linear(name + ".v_proj", width, width));
  TRY(out.out_, reader.linear(name + ".out_proj", width, width));
  return out;
}

tensor::Floats PositionedAttention::run(const PositionedRows& x, const PositionedRows& seen,
                                        tensor::Threads& threads) const {
  const tensor::Floats queries = multiply(*query_, x, x.positions, threads);
  const tensor::Floats keys = multiply(*key_, seen, seen.positions, threads);
  const tensor::Floats values = multiply(*value_, seen, nullptr, threads);
  tensor::Floats context(x.count * width_), out(x.count * width_);
  const size_t key_starts[] = {0, seen.count};
  tensor::Attention job;
  job.key = keys.data();
  job.value = values.data();
  job.query_stride = job.key_stride = job.value_stride = job.out_stride = width_;
  job.key_starts = key_starts;
  job.heads = job.key_heads = heads_;
  job.head_width = width_ / heads_;
  job.scale = 1.0F / std::sqrt(static_cast<float>(job.head_width));
  if (seen.hidden != nullptr)
    job.bias.add = [&](const tensor::AttentionBias::Block& block) {
      for (size_t key = 0; key < block.keys; ++key)
        for (size_t i = 0; seen.hidden[key] != 0 && i < block.queries; ++i)
          block.scores[i * block.stride + key] = -std::numeric_limits<float>::infinity();
    };
  // A call takes no more queries than keys.
  for (size_t first = 0; first < x.count; first += seen.count) {
    const size_t query_starts[] = {0, std::min(seen.count, x.count - first)};
    job.query_starts = query_starts;
    job.query = queries.data() + first * width_;
    job.out = context.data() + first * width_;
    tensor::attend(job, compute_, threads);
  }
  tensor::LinearRun run;
  run.in = context.data();
  run.out = out.data();
  run.addend = x.data;
  run.rows = x.count;
  out_->run(run, threads);
  return out;
}

}  // namespace holdfast::model
