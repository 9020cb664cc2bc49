#pragma once

#include <cstddef>

#include "tensor/products.h"

namespace holdfast::tensor {

// Keys and values of this many neighbouring tokens lie in a page, in the order in which products read them:
// of each key head first its keys as two strips of sixteen tokens (a line a number of the head, round up to
// sixteen lines), then its values as strips of sixteen numbers (an even count; a line a token). Pairs: the
// numbers are bfloat16, and a line holds two neighbouring numbers of the head, or two neighbouring tokens.
inline constexpr size_t page_tokens = 32;

struct PageShape {
  size_t layers = 0, key_heads = 0, head_width = 0, value_width = 0;
  bool pairs = false;

  size_t a_step() const { return pairs ? 2 : 1; }
  size_t key_steps() const { return (head_width + 16 * a_step() - 1) / (16 * a_step()) * 16; }
  size_t value_steps() const { return page_tokens / a_step(); }
  size_t value_strips() const { return (value_width + 31) / 32 * 2; }
  size_t key_floats() const { return page_tokens * key_steps(); }
  size_t head_floats() const { return key_floats() + value_strips() * value_steps() * 16; }
  size_t layer_floats() const { return key_heads * head_floats(); }
  size_t floats() const { return layers * layer_floats(); }
};

// Tokens whose keys and values of all key heads are rows of floats, [key_heads * head_width] and
// [key_heads * value_width], the next one's `stride` further.
struct TokenRows {
  const float* keys = nullptr;
  const float* values = nullptr;
  size_t stride = 0, count = 0;
};

// Puts tokens into a layer of a page from place `at` on; they end in the page. Those before are there. Places
// behind them that no token has yet keep no trace of another text. kernel: of f32, or for pairs of bf16 where
// takes_halves (kernels.h).
void put_tokens(const PageShape& shape, const ProductKernel& kernel, float* layer, size_t at,
                const TokenRows& tokens);

}  // namespace holdfast::tensor
