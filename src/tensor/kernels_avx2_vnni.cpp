// int8 on AVX2 with AVX-VNNI: four products of bytes summed at once, without saturation.
#include "tensor/kernels.h"
#include "tensor/simd/block_dots.h"
#include "tensor/simd/block_rows_avx2.h"
#include "tensor/simd/dots_avx2.h"
#include "tensor/simd/f32x16_avx2.h"
#include "tensor/simd/product_rows.h"
#include "tensor/simd/tiles_avx2.h"
#include "tensor/simd/whole_rows_avx2.h"

namespace holdfast::tensor {
namespace {

struct QuadSteps {
  using Sum = __m256i;
  static constexpr bool gathers = false;
  static Sum add(Sum sum, Sum codes, Sum word) {
    asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(codes), "x"(word));
    return sum;
  }

  // As PairSteps has them (dots_avx2.h); sums have 32 bits, of which the lower ones meet the steps.
  static Sum bytes(Sum codes, Sum word) { return add(_mm256_setzero_si256(), codes, word); }
  static void add_bytes(Sum (&sums)[2], Sum low, Sum high, Sum word) {
    sums[0] = add(sums[0], low, word);
    sums[1] = add(sums[1], high, word);
  }
  static void add_both_bytes(Sum (&sums)[2], Sum codes, Sum first, Sum fine) {
    sums[0] = add(sums[0], codes, first);
    sums[1] = add(sums[1], codes, fine);
  }
  static Sum steps(Sum words) { return _mm256_blend_epi16(words, _mm256_setzero_si256(), 0xAA); }
  static void add_pairs(Sum& low_sum, Sum& high_sum, Sum low, Sum high, Sum by_low, Sum by_high) {
    asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(low_sum) : "x"(low), "xm"(by_low));
    asm("%{vex%} vpdpwssd %2, %1, %0" : "+x"(high_sum) : "x"(high), "xm"(by_high));
  }
  static void add_pairs(Sum (&sums)[2], Sum low, Sum high, Sum pair) {
    add_pairs(sums[0], sums[1], low, high, pair, pair);
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

void avx2_vnni_block_dots(const BlockDotsJob& job) {
  job.format.code_bits == 8 ? BlockRowsAvx2<QuadSteps>::run(job) : BlockDots<Dots256<QuadSteps>>::any<4>(job);
}
void avx2_vnni_whole_dots(const WholeDotsJob& job) { WholeRowsAvx2<QuadSteps>::run(job); }

}  // namespace holdfast::tensor
