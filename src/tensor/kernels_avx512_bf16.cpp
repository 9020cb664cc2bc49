// bf16 on AVX-512 with BF16: two products of bfloat16 summed at once. The instruction takes subnormal numbers
// for zero and rounds to nearest; its order within a pair is the machine's own.
#include "tensor/kernels.h"
#include "tensor/simd/f32x16_bf16.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tiles_avx512.h"
#include "tensor/simd/weights_bf16.h"

namespace holdfast::tensor {
namespace {

struct PairDot512 : FloatDot512 {
  static Sum add(Sum sum, __m512i word, __m512i part) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(word), reinterpret_cast<__m512bh>(part));
  }
};

using Products = ProductRows<F32x16Bf16>;
using Attention = AttentionRows<F32x16Bf16>;

}  // namespace

const ProductKernel avx512_bf16_pairs = {1,
                                         Products::prepare_bf16,
                                         Tiles512<PairDot512>::sums,
                                         Products::finish_pairs,
                                         Attention::transpose_pairs,
                                         Attention::pack_pairs,
                                         Weights512::weigh,
                                         Attention::share_pairs,
                                         12};

}  // namespace holdfast::tensor
