// bf16 and int8 on AVX-512 without instructions for them: numbers are widened to floats and to 16 bits.
#include "tensor/kernels.h"
#include "tensor/simd/f32x16_avx512.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tiles_avx512.h"

namespace holdfast::tensor {
namespace {

using Products = ProductRows<F32x16Avx512>;
using Attention = AttentionRows<F32x16Avx512>;

}  // namespace

const ProductKernel avx512_pairs = {2,
                                    Products::prepare_wide_bf16,
                                    Tiles512<WideBf16Dot512>::sums,
                                    Products::finish_wide_pairs,
                                    Attention::transpose_pairs,
                                    Attention::pack_pairs,
                                    Attention::weigh_wide_pairs,
                                    Attention::share_wide_pairs,
                                    12};
const ProductKernel avx512_bytes = {2,
                                    Products::prepare_wide_bytes,
                                    Tiles512<WideByteDot512>::sums,
                                    Products::finish_bytes,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    nullptr,
                                    12};

}  // namespace holdfast::tensor
