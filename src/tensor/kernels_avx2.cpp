#include "tensor/kernels.h"
#include "tensor/simd/block_rows.h"
#include "tensor/simd/f32x16_avx2.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tiles_avx2.h"

namespace holdfast::tensor {
namespace {

using V = F32x16Avx2;
using Rows = RowKernels<V>;
using Products = ProductRows<V>;
using Attention = AttentionRows<V>;
using Blocks = BlockRows<V, 2, 1>;

// Six rows by sixteen columns: 12 sums, two of B and one of A in the 16 registers; a panel is done in two
// halves.
constexpr size_t tile_rows = 6;

template <size_t R>
void tile(const PanelJob& job, size_t row, size_t at) {
  __m256 low[R], high[R];
  for (size_t r = 0; r < R; ++r) low[r] = high[r] = _mm256_setzero_ps();
  const float* a = job.a + row * job.a_stride;
  const float* b = job.panel + at;
  for (size_t k = 0; k < job.k; ++k, b += panel_columns) {
    const __m256 b_low = _mm256_loadu_ps(b), b_high = _mm256_loadu_ps(b + 8);
#pragma GCC unroll 6
    for (size_t r = 0; r < R; ++r) {
      const __m256 x = _mm256_broadcast_ss(a + r * job.a_stride + k);
      low[r] = _mm256_fmadd_ps(x, b_low, low[r]);
      high[r] = _mm256_fmadd_ps(x, b_high, high[r]);
    }
  }
#pragma GCC unroll 6
  for (size_t r = 0; r < R; ++r) Rows::finish(job, row + r, at, V{low[r], high[r]});
}

using Tile = void (*)(const PanelJob&, size_t, size_t);
constexpr Tile tiles[tile_rows + 1] = {nullptr, tile<1>, tile<2>, tile<3>, tile<4>, tile<5>, tile<6>};

void panel(const PanelJob& job) {
  for (size_t at = 0; at < job.columns; at += 16) {
    size_t row = 0;
    for (; row + tile_rows <= job.rows; row += tile_rows) tile<tile_rows>(job, row, at);
    if (row < job.rows) tiles[job.rows - row](job, row, at);
  }
}

}  // namespace

const Kernels avx2_kernels = {
    Isa::avx2,
    panel,
    Rows::layer_norm,
    Rows::rms_norm,
    Rows::softmax,
    Rows::gelu,
    Rows::add,
    Products::activate,
    Blocks::sums,
    Blocks::widen,
    {{1, Products::prepare_floats, Tiles256<FloatDot256>::sums, Products::finish_floats,
      Attention::transpose_floats, Attention::pack_floats, Attention::weigh_floats},
     avx2_pairs,
     avx2_bytes}};

}  // namespace holdfast::tensor
