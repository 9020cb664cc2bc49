#pragma once

#include <cstdint>
#include <vector>

#include "tensor/buffer.h"

namespace holdfast::tensor {

class Linear;

// Rows as a linear layer's product reads them (ProductKernel::prepare): rounded and laid out once by what
// wrote them, while they are near. One thread writes a row; memory is kept between uses.
struct ReadyRows {
  Floats words;
  std::vector<float> scales, shifts;  // Of bytes.

  // Room for `rows` rows of `reader`; what was there is lost.
  void ensure(const Linear& reader, size_t rows);
};

// x / deviation * gamma + beta over each row, or by its root mean square.
struct RowNorm {
  enum class Kind : uint8_t { layer, root_mean_square } kind = Kind::layer;
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float epsilon = 0;
};

}  // namespace holdfast::tensor
