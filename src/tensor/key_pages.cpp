#include "tensor/key_pages.h"

#include <algorithm>

namespace holdfast::tensor {

void put_token(const PageShape& shape, float* layer, size_t at, const float* keys, const float* values) {
  for (size_t head = 0; head < shape.key_heads; ++head, layer += shape.head_floats()) {
    float* key = layer + at / 16 * shape.key_steps() * 16 + at % 16;
    for (size_t i = 0; i < shape.head_width; ++i) key[16 * i] = keys[head * shape.head_width + i];
    float* value = layer + shape.key_floats() + at * 16;
    for (size_t i = 0; i < shape.value_width; i += 16)
      std::copy_n(values + head * shape.value_width + i, std::min<size_t>(16, shape.value_width - i),
                  value + i * page_tokens);
  }
}

}  // namespace holdfast::tensor
