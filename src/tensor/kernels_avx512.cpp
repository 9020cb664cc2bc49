#include "tensor/kernels.h"
#include "tensor/simd/block_rows.h"
#include "tensor/simd/f32x16_avx512.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tiles_avx512.h"

namespace holdfast::tensor {
namespace {

using V = F32x16Avx512;
using Rows = RowKernels<V>;
using Products = ProductRows<V>;
using Attention = AttentionRows<V>;
using Blocks = BlockRows<V, 8, 4>;

// Twelve rows by two registers: 24 sums, two of B and one of A fit the 32 registers, and 24 independent sums
// hide the latency of the multiply-add units.
constexpr size_t tile_rows = 12;

template <size_t R>
void tile(const PanelJob& job, size_t row) {
  V left[R], right[R];
  for (size_t r = 0; r < R; ++r) left[r] = right[r] = V::all(0);
  const float* a = job.a + row * job.a_stride;
  const float* b = job.panel;
  for (size_t k = 0; k < job.k; ++k, b += panel_columns) {
    const V b_left = V::load(b), b_right = V::load(b + 16);
#pragma GCC unroll 12
    for (size_t r = 0; r < R; ++r) {
      const V x = V::all(a[r * job.a_stride + k]);
      left[r] = V::fma(x, b_left, left[r]);
      right[r] = V::fma(x, b_right, right[r]);
    }
  }
#pragma GCC unroll 12
  for (size_t r = 0; r < R; ++r) {
    Rows::finish(job, row + r, 0, left[r]);
    if (job.columns > 16) Rows::finish(job, row + r, 16, right[r]);
  }
}

using Tile = void (*)(const PanelJob&, size_t);
constexpr Tile tiles[tile_rows + 1] = {nullptr, tile<1>, tile<2>, tile<3>,  tile<4>,  tile<5>, tile<6>,
                                       tile<7>, tile<8>, tile<9>, tile<10>, tile<11>, tile<12>};

void panel(const PanelJob& job) {
  if (job.columns == 0) return;
  size_t row = 0;
  for (; row + tile_rows <= job.rows; row += tile_rows) tile<tile_rows>(job, row);
  if (row < job.rows) tiles[job.rows - row](job, row);
}

}  // namespace

const Kernels avx512_kernels = {
    Isa::avx512,
    panel,
    Rows::layer_norm,
    Rows::rms_norm,
    Rows::softmax,
    Rows::gelu,
    Rows::add,
    Products::activate,
    Blocks::sums,
    Blocks::widen,
    {{1, Products::prepare_floats, Tiles512<FloatDot512>::sums, Products::finish_floats,
      Attention::transpose_floats, Attention::pack_floats, Attention::weigh_floats},
     avx512_pairs,
     avx512_bytes}};

}  // namespace holdfast::tensor
