#include "model/cross_attention.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/layer_parts.h"

namespace holdfast::model {
Result<CrossAttention> CrossAttention::load(const DecoderPlan& plan, const DecoderWeights& weights,
                                            const std::string& layer) {
  CrossAttention out;
  out.compute_ = weights.reader().compute();
  out.heads_ = plan.heads;
  out.head_width_ = plan.head_width;
  out.scale_ = plan.scale > 0 ? plan.scale : 1.0F / std::sqrt(static_cast<float>(plan.head_width));
  const size_t all = plan.heads * plan.head_width;
  const CrossPlan& names = *plan.cross;
  TRY(out.query_, weights.linear(layer + names.query, all, plan.width, plan.query_bias));
  const size_t memory = names.memory_width > 0 ? names.memory_width : plan.width;
  if (names.key_value.empty()) {
    TRY(out.key_value_, weights.reader().joined({layer + names.key, layer + names.value}, {all, all}, memory,
                                                plan.query_bias));
  } else {
    TRY(out.key_value_, weights.linear(layer + names.key_value, 2 * all, memory, plan.query_bias));
  }
  TRY(out.out_, weights.linear(layer + names.out, plan.width, all, plan.out_bias));
  TRY(out.norm_, weights.norm(layer + names.norm, plan.width, plan.norm, plan.norm_bias));
  return out;
}

tensor::Floats CrossAttention::remember(const float* rows, size_t count, tensor::Threads& threads) const {
  tensor::Floats out(count * key_value_->width());
  multiply(*key_value_, rows, out.data(), count, threads);
  return out;
}

void CrossAttention::attend(const Memory& memory, size_t layer, const float* queries, float* context,
                            size_t count, tensor::Threads& threads) const {
  const size_t all = heads_ * head_width_;
  const std::array<size_t, 2> query_starts = {0, count}, key_starts = {0, memory.tokens};
  tensor::Attention job;
  job.heads = job.key_heads = heads_;
  job.head_width = head_width_;
  job.scale = scale_;
  job.query = queries;
  job.query_stride = job.out_stride = all;
  job.key = memory.layers[layer].data();
  job.value = job.key + all;
  job.key_stride = job.value_stride = 2 * all;
  job.out = context;
  job.query_starts = query_starts;
  job.key_starts = key_starts;
  tensor::attend(job, compute_, threads);
}

void CrossAttention::run(const TokenBatch& batch, std::span<const Memory* const> memories, size_t layer,
                         const float* in, float* out, tensor::Threads& threads) const {
  const size_t rows = batch.tokens(), all = heads_ * head_width_;
  tensor::Floats queries(rows * all), context(rows * all);
  multiply(*query_, in, queries.data(), rows, threads);
  // Neighbours that read the same memory (beams of one text) are one job: a query's bits depend on no other.
  for (size_t first = 0; first < batch.sequences();) {
    size_t last = first + 1;
    while (last < batch.sequences() && memories[last] == memories[first]) ++last;
    const Memory& memory = *memories[first];
    // A job has no more queries than keys.
    for (size_t from = batch.starts[first]; from < batch.starts[last];) {
      const size_t count = std::min(batch.starts[last] - from, memory.tokens);
      attend(memory, layer, queries.data() + from * all, context.data() + from * all, count, threads);
      from += count;
    }
    first = last;
  }
  multiply(*out_, context.data(), out, rows, threads);
}

}  // namespace holdfast::model
