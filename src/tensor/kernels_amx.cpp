// bf16, int8 and blocks on AMX: sixteen by sixteen sums of sixteen steps at once.
#include "tensor/kernels.h"
#include "tensor/simd/attention_amx.h"
#include "tensor/simd/block_tiles_amx.h"
#include "tensor/simd/dots_avx512.h"
#include "tensor/simd/endings_avx512.h"
#include "tensor/simd/f32x16_bf16.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tile_product_amx.h"
#include "tensor/simd/weights_by_table.h"
#include "tensor/simd/whole_tiles_amx.h"

namespace holdfast::tensor {
namespace {

// The intrinsics take tile numbers as text, so each use is spelled out.
struct AmxTiles {
  static void configure(const TileConfiguration& wish) {
    // g++ 12 believes that the instruction reads eight bytes, and would leave the rest of `wish` unwritten.
    asm volatile("" : : "r"(&wish) : "memory");
    _tile_loadconfig(&wish);
  }
  static void release() { _tile_release(); }

  template <int tile>
  static void zero() {
    if constexpr (tile == 0) _tile_zero(0);
    if constexpr (tile == 1) _tile_zero(1);
    if constexpr (tile == 2) _tile_zero(2);
    if constexpr (tile == 3) _tile_zero(3);
  }
  template <int tile>
  static void load(const void* from, size_t row_bytes) {
    if constexpr (tile == 4) _tile_loadd(4, from, row_bytes);
    if constexpr (tile == 5) _tile_loadd(5, from, row_bytes);
    if constexpr (tile == 6) _tile_loadd(6, from, row_bytes);
    if constexpr (tile == 7) _tile_loadd(7, from, row_bytes);
  }
  template <int tile>
  static void store(void* to, size_t row_bytes) {
    if constexpr (tile == 0) _tile_stored(0, to, row_bytes);
    if constexpr (tile == 1) _tile_stored(1, to, row_bytes);
    if constexpr (tile == 2) _tile_stored(2, to, row_bytes);
    if constexpr (tile == 3) _tile_stored(3, to, row_bytes);
  }
};

struct PairTiles : AmxTiles {
  template <int sums, int rows, int strip>
  static void dot() {
    if constexpr (sums == 0) _tile_dpbf16ps(0, 4, 6);
    if constexpr (sums == 1) _tile_dpbf16ps(1, 4, 7);
    if constexpr (sums == 2) _tile_dpbf16ps(2, 5, 6);
    if constexpr (sums == 3) _tile_dpbf16ps(3, 5, 7);
  }
};

struct ByteTiles : AmxTiles {
  template <int sums, int rows, int strip>
  static void dot() {  // Unsigned rows, signed strips.
    if constexpr (sums == 0) _tile_dpbusd(0, 4, 6);
    if constexpr (sums == 1) _tile_dpbusd(1, 4, 7);
    if constexpr (sums == 2) _tile_dpbusd(2, 5, 6);
    if constexpr (sums == 3) _tile_dpbusd(3, 5, 7);
  }
};

// Rows signed, strips signed or not.
struct BlockCodeTiles : AmxTiles {
  template <int sums, int rows, int strip>
  static void dot() {
    if constexpr (sums == 0) _tile_dpbssd(0, 4, 6);
    if constexpr (sums == 1) _tile_dpbssd(1, 5, 6);
    if constexpr (sums == 2 && rows == 4) _tile_dpbssd(2, 4, 6);
    if constexpr (sums == 2 && rows == 5) _tile_dpbssd(2, 5, 6);
    if constexpr (sums == 3) _tile_dpbssd(3, 5, 6);
  }
  template <int sums, int rows, int strip>
  static void dot_unsigned() {
    if constexpr (sums == 1) _tile_dpbsud(1, 4, 7);
    if constexpr (sums == 3) _tile_dpbsud(3, 5, 7);
  }
};
using Blocks = BlockTiles<BlockCodeTiles, Dots512>;
thread_local Blocks::Scratch scratch;
using Whole = WholeTiles<BlockCodeTiles, Dots512>;
thread_local Whole::Scratch whole_scratch;
// Of fewer rows a strip's unpacking costs more than tiles gain.
constexpr size_t whole_rows_least = 7;

using Products = ProductRows<F32x16Bf16>;
using Attention = AttentionRows<F32x16Bf16>;

// The first of the endings that fits the job.
template <class Tiles, class Ending, class... More>
void product(const SumsJob& sums, const FinishJob& finish) {
  if constexpr (sizeof...(More) > 0)
    if (!Ending::fits(finish)) return product<Tiles, More...>(sums, finish);
  TileProduct<Tiles, Ending>::run(sums, finish);
}
void pair_product(const SumsJob& sums, const FinishJob& finish) {
  product<PairTiles, PairsEnding<EndingKind::gelu>, PairsEnding<EndingKind::as_it_is>, FloatsEnding,
          AnyEnding<Products::finish_pairs>>(sums, finish);
}
void byte_product(const SumsJob& sums, const FinishJob& finish) {
  product<ByteTiles, BytesEnding<EndingKind::gelu>, BytesEnding<EndingKind::as_it_is>,
          AnyEnding<Products::finish_bytes>>(sums, finish);
}

}  // namespace

const ProductKernel amx_pairs = {1,
                                 Products::prepare_bf16,
                                 TileSums<PairTiles>::sums,
                                 Products::finish_pairs,
                                 Attention::transpose_pairs,
                                 Attention::pack_pairs,
                                 WeightsByTable::weigh,
                                 Attention::share_pairs,
                                 0,
                                 pair_product,
                                 true};

void amx_attend(const AttendJob& job) {
  TileAttention<PairTiles, WeightsByTable, Attention::share_pairs>::run(job);
}

// Whole tiles of rows; what is left over goes the same way where there is enough of it to gain by.
void amx_block_dots(const BlockDotsJob& job) {
  if (job.rows.lanes != Blocks::tile_rows) return avx512_vnni_block_dots(job);
  const size_t least = job.format.code_bits == 8 ? 8 : 10;
  BlockDotsJob tiled = job;
  const size_t left = job.row_count % Blocks::tile_rows;
  if (left < least) tiled.row_count -= left;
  Blocks::run(tiled, scratch);
  if (tiled.row_count == job.row_count) return;
  const size_t groups = job.inputs / job.format.group;
  BlockDotsJob rest = job;
  rest.row_count = left;
  rest.rows = job.rows.from(tiled.row_count, job.inputs, groups);
  rest.sums += tiled.row_count * job.sums_stride;
  avx512_vnni_block_dots(rest);
}

void amx_whole_dots(const WholeDotsJob& job) {
  if (job.rows.lanes != Whole::tile_rows || job.row_count < whole_rows_least)
    return avx512_vnni_whole_dots(job);
  Whole::run(job, whole_scratch);
}

const ProductKernel amx_bytes = {1,
                                 Products::prepare_bytes,
                                 TileSums<ByteTiles>::sums,
                                 Products::finish_bytes,
                                 nullptr,
                                 nullptr,
                                 nullptr,
                                 nullptr,
                                 0,
                                 byte_product};

}  // namespace holdfast::tensor
