// Longformer's tokens that all others see, and that see all others (FarSeeing).
#include "model/far_seeing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/encoder.h"

namespace holdfast::model {
namespace {

// out [rows, width()], made larger where it is too small.
void multiply(const tensor::Linear& layer, const float* in, size_t rows, tensor::Floats& out,
              tensor::Threads& threads) {
  if (out.size() < rows * layer.width()) out = tensor::Floats(rows * layer.width());
  tensor::LinearRun run;
  run.in = in;
  run.out = out.data();
  run.rows = rows;
  layer.run(run, threads);
}

}  // namespace

size_t far_seeing_tokens(const EncoderPlan& plan, const TokenBatch& batch, size_t sequence) {
  if (!plan.far_seeing) return 0;
  if (plan.far_seeing->which == FarSeeing::Which::first) return std::min<size_t>(batch.length(sequence), 1);
  const auto first = batch.ids.begin() + static_cast<ptrdiff_t>(batch.starts[sequence]),
             last = batch.ids.begin() + static_cast<ptrdiff_t>(batch.starts[sequence + 1]);
  const auto separator = std::find(first, last, plan.far_seeing->separator);
  return separator == last ? 0 : static_cast<size_t>(separator - first);
}

Status check_far_seeing(const EncoderPlan& plan, const TokenBatch& batch) {
  if (!plan.far_seeing || plan.far_seeing->which != FarSeeing::Which::question) return Done{};
  for (size_t i = 0; i < batch.sequences(); ++i) {
    const auto first = batch.ids.begin() + static_cast<ptrdiff_t>(batch.starts[i]),
               last = batch.ids.begin() + static_cast<ptrdiff_t>(batch.starts[i + 1]);
    if (std::count(first, last, plan.far_seeing->separator) != 3)
      return fail(
          Reason::bad_request,
          fmt::format("this model needs its separator (id {}) three times in a question and its text, "
                      "to know where the question ends",
                      plan.far_seeing->separator));
  }
  return Done{};
}

// The contexts of tokens that see far, once more: through their own projections of the layer's input x.
void Encoder::attend_far(const TokenBatch& batch, Part part, const Layer& layer, const float* x, Space& space,
                         tensor::Threads& threads) const {
  const size_t width = plan_.heads * plan_.head_width;
  for (size_t i = part.first; i < part.last; ++i) {
    const size_t row = batch.starts[i] - batch.starts[part.first], length = batch.length(i);
    const size_t count = far_seeing_tokens(plan_, batch, i);
    if (count == 0) continue;
    multiply(*layer.far_query, x + row * plan_.width, count, space.far_queries, threads);
    multiply(*layer.far_key_value, x + row * plan_.width, length, space.far_keys, threads);
    const size_t query_starts[] = {0, count}, key_starts[] = {0, length};
    tensor::Attention job;
    job.query = space.far_queries.data();
    job.key = space.far_keys.data();
    job.value = job.key + width;
    job.out = space.context.data() + row * width;
    job.query_stride = job.out_stride = width;
    job.key_stride = job.value_stride = 2 * width;
    job.query_starts = query_starts;
    job.key_starts = key_starts;
    job.heads = job.key_heads = plan_.heads;
    job.head_width = plan_.head_width;
    job.scale = 1.0F / std::sqrt(static_cast<float>(plan_.head_width));
    tensor::attend(job, compute_, threads);
  }
}

}  // namespace holdfast::model
