#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/block_bytes.h"
#include "tensor/block_format.h"
#include "tensor/channel_taps.h"
#include "tensor/isa.h"
#include "tensor/precision.h"
#include "tensor/products.h"
#include "tensor/whole_format.h"

namespace holdfast::tensor {

// out = (x - mean) / sqrt(variance + epsilon) * gamma + beta for each row; in and out may be the same.
struct LayerNormJob {
  const float* in = nullptr;  // [rows, width]
  float* out = nullptr;       // [rows, width]
  const float* gamma = nullptr;
  const float* beta = nullptr;
  size_t rows = 0, width = 0;
  float epsilon = 0;
  size_t in_stride = 0, out_stride = 0;  // Floats between rows; 0: width.
};

// row = softmax(row * scale), in place. width 0 is fine.
struct SoftmaxJob {
  float* data = nullptr;  // [rows, width], rows `stride` floats apart
  size_t rows = 0, width = 0, stride = 0;
  float scale = 1;
};

// The inner loops of one instruction set. Pure functions: safe from any thread. The fast ones agree with each
// other to the last bit, plain with them within a few roundings (kernels_test.cpp states how many).
struct Kernels {
  Isa isa;
  void (*layer_norm)(const LayerNormJob&);
  void (*rms_norm)(const LayerNormJob&);  // out = x / sqrt(mean of x * x + epsilon) * gamma; beta is not read
  void (*softmax)(const SoftmaxJob&);
  void (*gelu)(float* data, size_t count);  // x * (1 + erf(x / sqrt 2)) / 2, in place
  void (*add)(float* into, const float* more, size_t count);
  void (*activate)(Activation activation, float* data, size_t count);  // In place.
  void (*channel_taps)(const ChannelTapsJob&);
  void (*block_sums)(const BlockSumsJob&);
  void (*widen)(const WidenJob&);
  void (*quantize)(const QuantizeJob&);
  void (*block_dots)(const BlockDotsJob&);
  void (*whole_rows)(const WholeQuantizeJob&);
  void (*whole_dots)(const WholeDotsJob&);
  ProductKernel products[precisions];  // By Precision.
};

const Kernels& kernels_for(Isa isa);

// Whether a word of bf16 rows is a pair of numbers there, so that rows of bfloat16 are read as they are.
inline bool takes_halves(Isa isa) {
  return kernels_for(isa).products[static_cast<size_t>(Precision::bf16)].words_a_step == 1;
}

// One file each. Those of a larger instruction set take from a smaller one what they do not do better.
extern const Kernels plain_kernels;
// Of these two only the products of floats: what is put together from several files before main() would run
// instructions that the processor may not have, so kernels_for() does it.
extern const Kernels avx2_kernels;
extern const Kernels avx512_kernels;
extern const ProductKernel avx2_pairs, avx2_bytes;
void avx2_block_dots(const BlockDotsJob& job);
void avx2_vnni_block_dots(const BlockDotsJob& job);
void avx512_vnni_block_dots(const BlockDotsJob& job);
void amx_block_dots(const BlockDotsJob& job);
void plain_channel_taps(const ChannelTapsJob& job);
void plain_whole_dots(const WholeDotsJob& job);
void avx2_whole_dots(const WholeDotsJob& job);
void avx2_vnni_whole_dots(const WholeDotsJob& job);
void avx512_vnni_whole_dots(const WholeDotsJob& job);
void amx_whole_dots(const WholeDotsJob& job);
extern const ProductKernel avx2_vnni_bytes;
extern const ProductKernel avx512_pairs, avx512_bytes;
extern const ProductKernel avx512_vnni_bytes;
extern const ProductKernel avx512_bf16_pairs;
extern const ProductKernel amx_pairs, amx_bytes;

}  // namespace holdfast::tensor
