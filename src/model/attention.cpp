#include "model/attention.h"

#include <algorithm>
#include <cmath>

namespace holdfast::model {
namespace {

using tensor::panel_columns;

// Rows of queries whose scores are held at a time: 96 x 512 scores are 192 KiB.
constexpr size_t query_rows = 96;

size_t panels_of(size_t columns) { return (columns + panel_columns - 1) / panel_columns; }

void ensure(tensor::Floats& buffer, size_t count) {
  if (buffer.size() < count) buffer = tensor::Floats(count);
}

// Key rows become the columns of panels [D, 32].
void pack_keys(const AttentionJob& job, float* out) {
  for (size_t panel = 0; panel < panels_of(job.tokens); ++panel, out += job.head_width * panel_columns) {
    for (size_t column = 0; column < panel_columns; ++column) {
      const size_t token = panel * panel_columns + column;
      const float* key = job.key + token * job.stride;
      for (size_t d = 0; d < job.head_width; ++d)
        out[d * panel_columns + column] = token < job.tokens ? key[d] : 0.0F;
    }
  }
}

// Value columns in panels [T, 32].
void pack_values(const AttentionJob& job, float* out) {
  for (size_t from = 0; from < job.head_width; from += panel_columns) {
    const size_t count = std::min(panel_columns, job.head_width - from);
    for (size_t token = 0; token < job.tokens; ++token, out += panel_columns) {
      const float* value = job.value + token * job.stride + from;
      std::copy_n(value, count, out);
      std::fill(out + count, out + panel_columns, 0.0F);
    }
  }
}

}  // namespace

void attend(const tensor::Kernels& kernels, const AttentionJob& job, AttentionScratch& scratch) {
  const size_t width = panels_of(job.tokens) * panel_columns;  // Of a row of scores.
  ensure(scratch.keys, width * job.head_width);
  ensure(scratch.values, panels_of(job.head_width) * panel_columns * job.tokens);
  ensure(scratch.scores, query_rows * width);
  pack_keys(job, scratch.keys.data());
  pack_values(job, scratch.values.data());
  const float scale = 1.0F / std::sqrt(static_cast<float>(job.head_width));

  for (size_t row = 0; row < job.tokens; row += query_rows) {
    tensor::PanelJob panel;
    panel.rows = std::min(query_rows, job.tokens - row);
    panel.a = job.query + row * job.stride;
    panel.a_stride = job.stride;
    panel.k = job.head_width;
    panel.c_stride = width;
    for (size_t from = 0; from < job.tokens; from += panel_columns) {
      panel.panel = scratch.keys.data() + from * job.head_width;
      panel.columns = std::min(panel_columns, job.tokens - from);
      panel.c = scratch.scores.data() + from;
      kernels.panel(panel);
    }
    kernels.softmax({scratch.scores.data(), panel.rows, job.tokens, width, scale});
    panel.a = scratch.scores.data();
    panel.a_stride = width;
    panel.k = job.tokens;
    panel.c_stride = job.out_stride;
    for (size_t from = 0; from < job.head_width; from += panel_columns) {
      panel.panel = scratch.values.data() + from * job.tokens;
      panel.columns = std::min(panel_columns, job.head_width - from);
      panel.c = job.out + row * job.out_stride + from;
      kernels.panel(panel);
    }
  }
}

}  // namespace holdfast::model
