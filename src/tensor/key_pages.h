#pragma once

#include <cstddef>

namespace holdfast::tensor {

// Keys and values of this many neighbouring tokens lie in a page, in the order in which products read them:
// of each key head first its keys as two strips of sixteen tokens (a line a number of the head, round up to
// sixteen lines), then its values as strips of sixteen numbers (an even count; a line a token).
inline constexpr size_t page_tokens = 32;

struct PageShape {
  size_t layers = 0, key_heads = 0, head_width = 0, value_width = 0;

  size_t key_steps() const { return (head_width + 15) / 16 * 16; }
  size_t value_strips() const { return (value_width + 31) / 32 * 2; }
  size_t key_floats() const { return page_tokens * key_steps(); }
  size_t head_floats() const { return key_floats() + value_strips() * page_tokens * 16; }
  size_t layer_floats() const { return key_heads * head_floats(); }
  size_t floats() const { return layers * layer_floats(); }
};

// Puts one token's keys and values of all key heads, [key_heads * head_width] and [key_heads * value_width],
// in place `at` of a layer of a page.
void put_token(const PageShape& shape, float* layer, size_t at, const float* keys, const float* values);

}  // namespace holdfast::tensor
