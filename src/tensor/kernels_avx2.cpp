#include "tensor/kernels.h"
#include "tensor/simd/block_dots.h"
#include "tensor/simd/block_rows.h"
#include "tensor/simd/channel_taps.h"
#include "tensor/simd/f32x16_avx2.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tiles_avx2.h"
#include "tensor/simd/whole_rounding_avx2.h"

namespace holdfast::tensor {
namespace {

using V = F32x16Avx2;
using Rows = RowKernels<V>;
using Products = ProductRows<V>;
using Attention = AttentionRows<V>;
using Blocks = BlockRows<V, 2, 1>;

}  // namespace

constinit const Kernels avx2_kernels = {
    Isa::avx2,
    Rows::layer_norm,
    Rows::rms_norm,
    Rows::softmax,
    Rows::gelu,
    Rows::add,
    Products::activate,
    ChannelTaps<V, 4>::line,
    Blocks::sums,
    Blocks::widen,
    quantize_rows,
    avx2_block_dots,
    WholeRounding256::rows,
    avx2_whole_dots,
    {{1, Products::prepare_floats, Tiles256<FloatDot256>::sums, Products::finish_floats,
      Attention::transpose_floats, Attention::pack_floats, Attention::weigh_floats, Attention::share_floats,
      6},
     {},
     {}}};

}  // namespace holdfast::tensor
