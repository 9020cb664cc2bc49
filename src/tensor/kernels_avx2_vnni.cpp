// int8 on AVX2 with AVX-VNNI: four products of bytes summed at once, without saturation.
#include "tensor/kernels.h"
#include "tensor/simd/block_dots.h"
#include "tensor/simd/dots_avx2.h"
#include "tensor/simd/f32x16_avx2.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tiles_avx2.h"
#include "tensor/simd/whole_dots.h"

namespace holdfast::tensor {
namespace {

struct QuadSteps {
  static constexpr bool gathers = false;
  static __m256i add(__m256i sum, __m256i codes, __m256i word) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(codes), "x"(word));
    return sum;
  }
};

struct ByteDot256 : WideByteDot256 {
  static constexpr size_t words = 1;
  static __m256i part(__m256i line, size_t) { return line; }
  static Sum add(Sum sum, __m256i word, __m256i part) { return QuadSteps::add(sum, word, part); }
};

using Products = ProductRows<F32x16Avx2>;

}  // namespace

const ProductKernel avx2_vnni_bytes = {1,
                                       Products::prepare_bytes,
                                       Tiles256<ByteDot256>::sums,
                                       Products::finish_bytes,
                                       nullptr,
                                       nullptr,
                                       nullptr,
                                       nullptr,
                                       6};

void avx2_vnni_block_dots(const BlockDotsJob& job) { BlockDots<Dots256<QuadSteps>>::run(job); }
void avx2_vnni_whole_dots(const WholeDotsJob& job) { WholeDots<Dots256<QuadSteps>>::run(job); }

}  // namespace holdfast::tensor
