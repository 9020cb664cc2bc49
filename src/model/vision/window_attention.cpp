#include "model/vision/window_attention.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "tensor/attention.h"

namespace holdfast::model {
namespace {

constexpr float hardly = -100.0F;  // What is added to the scores of strangers.

// Of a place of the shifted picture, which of its three stripes it came from.
size_t stripe(size_t place, size_t length, size_t window, size_t shift) {
  return (place >= length - window ? 1U : 0U) + (place >= length - shift ? 1U : 0U);
}

}  // namespace

Result<WindowAttention> WindowAttention::load(const Plan& plan, const WeightReader& reader) {
  WindowAttention out;
  out.plan_ = plan;
  out.compute_ = reader.compute();
  const size_t width = plan.width, side = 2 * plan.window - 1;
  TRY(out.query_key_value_,
      reader.joined({plan.name + "self.query", plan.name + "self.key", plan.name + "self.value"},
                    {width, width, width}, width, plan.bias));
  TRY(out.out_, reader.linear(plan.name + "output.dense", width, width));
  TRY(const std::vector<float> table,
      reader.floats(plan.name + "self.relative_position_bias_table", {side * side, plan.heads}));
  // Of each line between, from the rightmost query's left neighbour on, as a line of keys meets them.
  out.distances_.resize(table.size());
  for (size_t head = 0; head < plan.heads; ++head)
    for (size_t down = 0; down < side; ++down)
      for (size_t across = 0; across < side; ++across)
        out.distances_[(head * side + down) * side + across] =
            table[(down * side + side - 1 - across) * plan.heads + head];
  return out;
}

void WindowAttention::add(const float* in, Extent size, size_t shift, float* out,
                          tensor::Threads& threads) const {
  const size_t width = plan_.width, window = plan_.window, area = window * window, side = 2 * window - 1;
  const Extent windows = {(size.height + window - 1) / window, (size.width + window - 1) / window};
  const Extent padded = {windows.height * window, windows.width * window};
  const size_t rows = padded.area();
  // Where each row of the windows, one after the other, is in the picture; past it: `outside`.
  const size_t outside = size.area();
  std::vector<size_t> places(rows);
  std::vector<size_t> regions(rows);
  for (size_t row = 0; row < rows; ++row) {
    const size_t at = row / area, within = row % area;
    const size_t y = at / windows.width * window + within / window;
    const size_t x = at % windows.width * window + within % window;
    regions[row] = 3 * stripe(y, padded.height, window, shift) + stripe(x, padded.width, window, shift);
    const size_t from_y = (y + shift) % padded.height, from_x = (x + shift) % padded.width;
    places[row] = from_y < size.height && from_x < size.width ? from_y * size.width + from_x : outside;
  }
  tensor::Floats gathered(rows * width), joined(rows * 3 * width), context(rows * width);
  for (size_t row = 0; row < rows; ++row) {
    float* to = gathered.data() + row * width;
    if (places[row] == outside)
      std::fill_n(to, width, 0.0F);
    else
      std::copy_n(in + places[row] * width, width, to);
  }
  tensor::LinearRun run;
  run.in = gathered.data();
  run.out = joined.data();
  run.rows = rows;
  query_key_value_->run(run, threads);
  std::vector<size_t> starts;
  for (size_t row = 0; row <= rows; row += area) starts.push_back(row);
  tensor::Attention job;
  job.query = joined.data();
  job.key = job.query + width;
  job.value = job.key + width;
  job.out = context.data();
  job.query_stride = job.key_stride = job.value_stride = 3 * width;
  job.out_stride = width;
  job.query_starts = job.key_starts = starts;
  job.heads = job.key_heads = plan_.heads;
  job.head_width = width / plan_.heads;
  job.scale = 1.0F / std::sqrt(static_cast<float>(job.head_width));
  job.bias.add = [&](const tensor::AttentionBias::Block& block) {
    const float* distances = distances_.data() + block.head * side * side;
    const size_t* region = regions.data() + block.sequence * area;
    const bool strangers =
        std::any_of(region, region + area, [region](size_t other) { return other != *region; });
    CHECK(block.keys == area);
    for (size_t i = 0; i < block.queries; ++i) {
      const size_t query = block.query_from + i;
      float* scores = block.scores + i * block.stride;
      for (size_t line = 0; line < window; ++line) {
        const float* more =
            distances + (query / window + window - 1 - line) * side + window - 1 - query % window;
        for (size_t column = 0; column < window; ++column) scores[line * window + column] += more[column];
      }
      if (!strangers) continue;
      for (size_t key = 0; key < area; ++key)
        if (region[query] != region[key]) scores[key] += hardly;
    }
  };
  tensor::attend(job, compute_, threads);
  run.in = context.data();
  run.out = gathered.data();
  out_->run(run, threads);
  for (size_t row = 0; row < rows; ++row) {
    if (places[row] == outside) continue;
    const float* from = gathered.data() + row * width;
    float* to = out + places[row] * width;
    for (size_t i = 0; i < width; ++i) to[i] += from[i];
  }
}

}  // namespace holdfast::model
