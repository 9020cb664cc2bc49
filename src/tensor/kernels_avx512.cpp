#include "tensor/kernels.h"
#include "tensor/simd/block_rows.h"
#include "tensor/simd/channel_taps.h"
#include "tensor/simd/f32x16_avx512.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/quantize_avx512.h"
#include "tensor/simd/tiles_avx512.h"
#include "tensor/simd/whole_rows_avx512.h"

namespace holdfast::tensor {
namespace {

using V = F32x16Avx512;
using Rows = RowKernels<V>;
using Products = ProductRows<V>;
using Attention = AttentionRows<V>;
using Blocks = BlockRows<V, 8, 4>;

}  // namespace

constinit const Kernels avx512_kernels = {
    Isa::avx512,
    Rows::layer_norm,
    Rows::rms_norm,
    Rows::softmax,
    Rows::gelu,
    Rows::add,
    Products::activate,
    ChannelTaps<V, 12>::line,
    Blocks::sums,
    Blocks::widen,
    Quantize512::rows,
    avx2_block_dots,
    WholeRows512::rows,
    avx2_whole_dots,
    {{1, Products::prepare_floats, Tiles512<FloatDot512>::sums, Products::finish_floats,
      Attention::transpose_floats, Attention::pack_floats, Attention::weigh_floats, Attention::share_floats,
      12},
     {},
     {}}};

}  // namespace holdfast::tensor
