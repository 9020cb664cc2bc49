#include "tensor/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/check.h"
#include "tensor/buffer.h"
#include "tensor/kernels.h"

namespace holdfast::tensor {
namespace {

// Rows of queries whose scores are held at a time.
constexpr size_t query_rows = 96;
constexpr float lowest = -std::numeric_limits<float>::infinity();

size_t padded(size_t columns) { return (columns + panel_columns - 1) / panel_columns * panel_columns; }

// One head of one sequence.
class HeadAttention {
 public:
  HeadAttention(const Attention& job, const Kernels& kernels, size_t sequence, size_t head)
      : job_(job), kernels_(kernels), sequence_(sequence), head_(head) {
    query_first_ = job.query_starts[sequence];
    queries_ = job.query_starts[sequence + 1] - query_first_;
    key_first_ = job.key_starts[sequence];
    keys_ = job.key_starts[sequence + 1] - key_first_;
    key_head_ = head / (job.heads / job.key_heads);
    value_width_ = job.value_width != 0 ? job.value_width : job.head_width;
    width_ = padded(keys_);
  }

  void run() {
    if (queries_ == 0) return;
    CHECK(keys_ >= queries_);
    Floats keys(width_ * job_.head_width), values(padded(value_width_) * keys_);
    scores_ = Floats(std::min(query_rows, queries_) * width_);
    pack_keys(keys.data());
    pack_values(values.data());
    for (size_t row = 0; row < queries_; row += query_rows) {
      const size_t rows = std::min(query_rows, queries_ - row);
      PanelJob panel;
      panel.rows = rows;
      panel.a = job_.query + (query_first_ + row) * job_.query_stride + head_ * job_.head_width;
      panel.a_stride = job_.query_stride;
      panel.k = job_.head_width;
      panel.c_stride = width_;
      for (size_t from = 0; from < keys_; from += panel_columns) {
        panel.panel = keys.data() + from * job_.head_width;
        panel.columns = std::min(panel_columns, keys_ - from);
        panel.c = scores_.data() + from;
        kernels_.panel(panel);
      }
      weigh(row, rows);
      panel.a = scores_.data();
      panel.a_stride = width_;
      panel.k = keys_;
      panel.c_stride = job_.out_stride;
      for (size_t from = 0; from < value_width_; from += panel_columns) {
        panel.panel = values.data() + from * keys_;
        panel.columns = std::min(panel_columns, value_width_ - from);
        panel.c = job_.out + (query_first_ + row) * job_.out_stride + head_ * value_width_ + from;
        kernels_.panel(panel);
      }
    }
  }

 private:
  void pack_keys(float* out) const {
    for (size_t from = 0; from < width_; from += panel_columns, out += job_.head_width * panel_columns)
      for (size_t column = 0; column < panel_columns; ++column) {
        const size_t token = from + column;
        const float* key = job_.key + (key_first_ + token) * job_.key_stride + key_head_ * job_.head_width;
        for (size_t d = 0; d < job_.head_width; ++d)
          out[d * panel_columns + column] = token < keys_ ? key[d] : 0.0F;
      }
  }

  void pack_values(float* out) const {
    for (size_t from = 0; from < value_width_; from += panel_columns) {
      const size_t count = std::min(panel_columns, value_width_ - from);
      for (size_t token = 0; token < keys_; ++token, out += panel_columns) {
        const float* value =
            job_.value + (key_first_ + token) * job_.value_stride + key_head_ * value_width_ + from;
        std::copy_n(value, count, out);
        std::fill(out + count, out + panel_columns, 0.0F);
      }
    }
  }

  // Scores of rows [row, row + rows) become weights.
  void weigh(size_t row, size_t rows) {
    const AttentionBias& bias = job_.bias;
    const bool plain = job_.before == Attention::everything && job_.after == Attention::everything &&
                       job_.soft_cap == 0 && job_.sinks == nullptr && bias.by_distance == nullptr &&
                       !bias.add;
    if (plain) return kernels_.softmax({scores_.data(), rows, keys_, width_, job_.scale});
    for (size_t r = 0; r < rows; ++r) {
      float* scores = scores_.data() + r * width_;
      for (size_t k = 0; k < keys_; ++k) {
        scores[k] *= job_.scale;
        if (job_.soft_cap > 0) scores[k] = job_.soft_cap * std::tanh(scores[k] / job_.soft_cap);
      }
    }
    if (bias.add) bias.add({sequence_, head_, row, rows, keys_, scores_.data(), width_});
    for (size_t r = 0; r < rows; ++r) mask_row(scores_.data() + r * width_, keys_ - queries_ + row + r);
    if (job_.sinks == nullptr) return kernels_.softmax({scores_.data(), rows, keys_, width_, 1});
    for (size_t r = 0; r < rows; ++r) sink_row(scores_.data() + r * width_);
  }

  void mask_row(float* scores, size_t position) const {
    const AttentionBias& bias = job_.bias;
    const size_t first = position > job_.before ? position - job_.before : 0;
    const size_t last = job_.after < keys_ - 1 - position ? position + job_.after : keys_ - 1;
    std::fill(scores, scores + first, lowest);
    std::fill(scores + last + 1, scores + keys_, lowest);
    if (bias.by_distance == nullptr) return;
    const float* table = bias.by_distance + head_ * (2 * bias.reach + 1);
    const auto reach = static_cast<int64_t>(bias.reach);
    for (size_t k = first; k <= last; ++k) {
      const int64_t distance = static_cast<int64_t>(k) - static_cast<int64_t>(position);
      scores[k] += table[std::clamp(distance, -reach, reach) + reach];
    }
  }

  void sink_row(float* scores) const {
    const float sink = job_.sinks[head_];
    const float peak = std::max(sink, *std::max_element(scores, scores + keys_));
    double sum = std::exp(sink - peak);
    for (size_t k = 0; k < keys_; ++k) sum += scores[k] = std::exp(scores[k] - peak);
    for (size_t k = 0; k < keys_; ++k) scores[k] = static_cast<float>(scores[k] / sum);
  }

  const Attention& job_;
  const Kernels& kernels_;
  size_t sequence_, head_, key_head_ = 0;
  size_t query_first_ = 0, queries_ = 0, key_first_ = 0, keys_ = 0, value_width_ = 0, width_ = 0;
  Floats scores_;
};

}  // namespace

void attend(const Attention& attention, Compute compute, Threads& threads) {
  CHECK(attention.query_starts.size() == attention.key_starts.size());
  CHECK(attention.key_heads > 0 && attention.heads % attention.key_heads == 0);
  const Kernels& kernels = kernels_for(compute.isa);
  threads.run((attention.query_starts.size() - 1) * attention.heads, [&](size_t index) {
    HeadAttention(attention, kernels, index / attention.heads, index % attention.heads).run();
  });
}

}  // namespace holdfast::tensor
