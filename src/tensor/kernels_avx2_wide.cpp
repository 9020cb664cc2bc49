// bf16 and int8 on AVX2 without instructions for them: numbers are widened to floats and to 16 bits.
#include "tensor/kernels.h"
#include "tensor/simd/f32x16_avx2.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tiles_avx2.h"

namespace holdfast::tensor {
namespace {

using Products = ProductRows<F32x16Avx2>;
using Attention = AttentionRows<F32x16Avx2>;

}  // namespace

const ProductKernel avx2_pairs = {2,
                                  Products::prepare_wide_bf16,
                                  Tiles256<WideBf16Dot256>::sums,
                                  Products::finish_wide_pairs,
                                  Attention::transpose_pairs,
                                  Attention::pack_pairs,
                                  Attention::weigh_wide_pairs,
                                  Attention::share_wide_pairs,
                                  6};
const ProductKernel avx2_bytes = {2,
                                  Products::prepare_wide_bytes,
                                  Tiles256<WideByteDot256>::sums,
                                  Products::finish_bytes,
                                  nullptr,
                                  nullptr,
                                  nullptr,
                                  nullptr,
                                  6};

}  // namespace holdfast::tensor
