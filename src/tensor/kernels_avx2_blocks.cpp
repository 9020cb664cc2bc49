// Products of quantised weights on AVX2, apart from what else it has as each takes a while to compile.
#include "tensor/kernels.h"
#include "tensor/simd/block_dots.h"
#include "tensor/simd/block_rows_avx2.h"
#include "tensor/simd/dots_avx2.h"
#include "tensor/simd/whole_rows_avx2.h"

namespace holdfast::tensor {

void avx2_block_dots(const BlockDotsJob& job) {
  job.format.code_bits == 8 ? BlockRowsAvx2<PairSteps>::run(job) : BlockDots<Dots256<PairSteps>>::any<4>(job);
}
void avx2_whole_dots(const WholeDotsJob& job) { WholeRowsAvx2<PairSteps>::run(job); }

}  // namespace holdfast::tensor
