#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/block_format.h"
#include "tensor/isa.h"
#include "tensor/products.h"

namespace holdfast::tensor {

// Columns that one panel of a packed matrix holds, on every instruction set.
inline constexpr size_t panel_columns = 32;

// What happens to a sum before it is stored.
enum class Epilogue : uint8_t {
  none,
  bias,       // sum + bias
  bias_gelu,  // gelu(sum + bias), by erf
  bias_add,   // (sum + bias) + addend: a residual connection
};

// `rows` x `columns` of C = A * panel, for one panel. The sum of each element runs over k from 0 upwards with
// one fused multiply-add a step, so that every kernel, every tile shape and every thread count gives the same
// bits.
struct PanelJob {
  const float* a = nullptr;       // [rows, k], rows a_stride floats apart
  const float* panel = nullptr;   // [k, panel_columns]
  const float* bias = nullptr;    // [panel_columns]
  const float* addend = nullptr;  // [rows, columns], rows addend_stride floats apart; may be c itself
  float* c = nullptr;             // [rows, columns], rows c_stride floats apart
  size_t rows = 0, columns = 0, k = 0;
  size_t a_stride = 0, addend_stride = 0, c_stride = 0;
  Epilogue epilogue = Epilogue::none;
};

// out = (x - mean) / sqrt(variance + epsilon) * gamma + beta for each row; in and out may be the same.
struct LayerNormJob {
  const float* in = nullptr;  // [rows, width]
  float* out = nullptr;       // [rows, width]
  const float* gamma = nullptr;
  const float* beta = nullptr;
  size_t rows = 0, width = 0;
  float epsilon = 0;
};

// row = softmax(row * scale), in place. width 0 is fine.
struct SoftmaxJob {
  float* data = nullptr;  // [rows, width], rows `stride` floats apart
  size_t rows = 0, width = 0, stride = 0;
  float scale = 1;
};

// The inner loops of one instruction set. Pure functions: safe from any thread. avx2 and avx512 agree to the
// last bit; plain agrees with them to the last bit in `panel` without gelu, and otherwise within a few
// roundings (kernels_test.cpp states how many).
struct Kernels {
  Isa isa;
  void (*panel)(const PanelJob&);
  void (*layer_norm)(const LayerNormJob&);
  void (*rms_norm)(const LayerNormJob&);  // out = x / sqrt(mean of x * x + epsilon) * gamma; beta is not read
  void (*softmax)(const SoftmaxJob&);
  void (*gelu)(float* data, size_t count);  // x * (1 + erf(x / sqrt 2)) / 2, in place
  void (*add)(float* into, const float* more, size_t count);
  void (*activate)(Activation activation, float* data, size_t count);  // In place.
  void (*block_sums)(const BlockSumsJob&);
  void (*widen)(const WidenJob&);
  ProductKernel products[precisions];  // By Precision.
};

const Kernels& kernels_for(Isa isa);

// One file each. Those of a larger instruction set take from a smaller one what they do not do better.
extern const Kernels plain_kernels;
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const ProductKernel avx2_pairs, avx2_bytes;
extern const ProductKernel avx2_vnni_bytes;
extern const ProductKernel avx512_pairs, avx512_bytes;
extern const ProductKernel avx512_vnni_bytes;
extern const ProductKernel avx512_bf16_pairs;

}  // namespace holdfast::tensor
