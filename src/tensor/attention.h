#pragma once

#include <cstddef>
#include <functional>
#include <span>

#include "tensor/key_pages.h"
#include "tensor/precision.h"
#include "tensor/threads.h"

namespace holdfast::tensor {

// Added to scores (after the scale) before softmax: by distance first.
struct AttentionBias {
  // By head and distance key - query: [heads, 2 * reach + 1], entry `reach` is distance 0; further distances
  // take the entry at the end. ALiBi, T5's and MPNet's buckets.
  const float* by_distance = nullptr;
  size_t reach = 0;
  // Any other: adds to `scores` [queries, keys], rows `stride` apart, of a sequence's head from `query_from`.
  // Called from the thread that computes these scores.
  struct Block {
    size_t sequence = 0, head = 0, query_from = 0, queries = 0, keys = 0;
    float* scores = nullptr;
    size_t stride = 0;
  };
  std::function<void(const Block&)> add;
};

// Attention of packed sequences, all heads: out = softmax(scale * query key^T + bias, within the mask) value.
// Sequence i has queries [query_starts[i], query_starts[i + 1]) and keys [key_starts[i], ...); its last query
// stands at its last key. Row r, head h begins at base + r * stride + h * head_width. A sequence's bits do
// not depend on what else is in the batch, nor on how its queries are split into calls.
struct Attention {
  // Keys and values may lie in pages of page_tokens (key_pages.h) instead: of each sequence its pages in
  // order, each at the layer's begin, in pairs unless in f32; key, value and their strides are not read then.
  using Pages = std::span<const float* const>;
  std::span<const Pages> pages;
  const PageShape* page_shape = nullptr;  // Null: none.

  const float* query = nullptr;
  const float* key = nullptr;
  const float* value = nullptr;
  // Instead of these three, where takes_halves (kernels.h) and not in f32: the same in bfloat16. Head and
  // value width are multiples of 32, strides even.
  const uint16_t *query_halves = nullptr, *key_halves = nullptr, *value_halves = nullptr;
  float* out = nullptr;
  // Instead of out: rows as products of the same instruction set and precision read them (Linear::writes_for;
  // those of int8 read bytes and cannot), row_words apart. value_width is a multiple of sixteen then, all
  // heads together of 32.
  uint32_t* words = nullptr;
  size_t row_words = 0;
  size_t query_stride = 0, key_stride = 0, value_stride = 0, out_stride = 0;
  std::span<const size_t> query_starts, key_starts;  // One more than sequences each.
  size_t heads = 0,
         key_heads = 0;  // heads is a multiple of key_heads: h reads key head h / (heads / key_heads)
  size_t head_width = 0, value_width = 0;  // value_width 0: head_width
  float scale = 1;
  // Keys that a query at position p sees: [p - before, p + after]. everything: no limit; causal is after = 0.
  static constexpr size_t everything = static_cast<size_t>(-1);
  size_t before = everything, after = everything;
  float soft_cap = 0;            // > 0: scores become cap * tanh(score / cap) before bias and mask
  const float* sinks = nullptr;  // [heads]: a score that takes part in the sum and has no value
  AttentionBias bias;
};

void attend(const Attention& attention, Compute compute, Threads& threads);

}  // namespace holdfast::tensor
