#pragma once

#include "model/weight_reader.h"
#include "tensor/kernels.h"

namespace holdfast::model {

// The two layers that follow a norm in each block of a picture's net: out += down(activation(up(norm(in)))).
// Some rows at a time go the whole way, so that the wide rows between both layers stay near. A row's bits
// depend on that row alone.
struct NormedMlp {
  Norm norm;
  float epsilon = 0;
  LinearLayer up, down;
  tensor::Activation activation = tensor::Activation::gelu;

  // [rows, up.inputs()] and [rows, down.width()]; `out` may be `in` itself.
  void add(const tensor::Kernels& kernels, const float* in, size_t rows, float* out,
           tensor::Threads& threads) const;
};

}  // namespace holdfast::model
