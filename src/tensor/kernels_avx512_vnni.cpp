// int8 on AVX-512 with VNNI: four products of bytes summed at once, without saturation.
#include "tensor/kernels.h"
#include "tensor/simd/block_dots.h"
#include "tensor/simd/block_rows_vnni.h"
#include "tensor/simd/dots_avx512.h"
#include "tensor/simd/f32x16_avx512.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tiles_avx512.h"

namespace holdfast::tensor {
namespace {

struct ByteDot512 : WideByteDot512 {
  static constexpr size_t words = 1;
  static __m512i part(__m512i line, size_t) { return line; }
  static Sum add(Sum sum, __m512i word, __m512i part) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(word), "v"(part));
    return sum;
  }
};

using Products = ProductRows<F32x16Avx512>;

}  // namespace

const ProductKernel avx512_vnni_bytes = {1,
                                         Products::prepare_bytes,
                                         Tiles512<ByteDot512>::sums,
                                         Products::finish_bytes,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         12};

void avx512_vnni_block_dots(const BlockDotsJob& job) {
  job.format.code_bits == 8 ? BlockRowsVnni::run(job) : BlockDots<Dots512>::any<4>(job);
}

}  // namespace holdfast::tensor
